/** SIGTERM while requests are under way, on a gateway process. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { temporaryFolder } from "./catalog/memory.ts";
import { type GatewayProcess, spawnGateway } from "./gateway.ts";
import { createClient, fault, holds, ledger, openaiLines, until } from "./jobs/wire.ts";
import { connect, type RawConnection } from "./raw.ts";

/** What a test works with; `start` starts one gateway after another on the same catalog. */
interface World {
  readonly sandbox: Sandbox;
  start(drainSeconds?: number): Promise<GatewayProcess>;
}

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const started: GatewayProcess[] = [];
  try {
    await work({
      sandbox,
      async start(drainSeconds = 60) {
        const gateway = await spawnGateway({
          ...sandboxEnvironment(sandbox),
          BATCHWAY_DATA: folder.path,
          BATCHWAY_POLL_SECONDS: "0",
          BATCHWAY_DRAIN_SECONDS: `${drainSeconds}`,
        });
        started.push(gateway);
        return gateway;
      },
    });
  } finally {
    await Promise.all(started.map((gateway) => gateway.kill()));
    await sandbox.close();
  }
}

/** More than one chunk a half: the last one that has come is held back until the digests are right. */
const lines = `${openaiLines}\n`.repeat(4_000);
const half = Math.floor(lines.length / 2);

/** Sends the first half of an object, and waits until the provider is being sent it. */
async function beginUpload({ sandbox }: World, { url }: GatewayProcess): Promise<RawConnection> {
  const connection = await connect(url);
  await connection.write(
    "PUT /bedrock/files/inputs/a.jsonl HTTP/1.1\r\nHost: a\r\nx-model-provider: openai\r\n" +
      `content-length: ${lines.length}\r\n\r\n${lines.slice(0, half)}`,
  );
  await underWay(sandbox, "/files");
  return connection;
}

/** Waits until a provider has got a POST that it has not answered yet. */
async function underWay(sandbox: Sandbox, path: string): Promise<void> {
  await until(
    `a POST to ${path} is under way`,
    async () =>
      (await ledger(sandbox)).requests.some((one) =>
        one.method === "POST" && one.path === path && one.status === null
      ),
  );
}

/** Asks a gateway to end, and waits until it has heard. */
async function ask(gateway: GatewayProcess): Promise<{ ended: Promise<number> }> {
  const ended = gateway.stop();
  await until(
    "the gateway shuts down",
    () => Promise.resolve(gateway.log().includes("Shutting down")),
  );
  return { ended };
}

Deno.test("an upload under way is finished after SIGTERM, newcomers are sent away, and the next gateway has the object", () =>
  withWorld(async (world) => {
    const first = await world.start();
    const upload = await beginUpload(world, first);
    const { ended } = await ask(first);
    const newcomer = await fetch(`${first.url}/healthz`);
    assert.deepEqual(
      [newcomer.status, newcomer.headers.get("connection"), newcomer.headers.get("retry-after")],
      [503, "close", "1"],
    );
    await newcomer.body?.cancel();
    await upload.write(lines.slice(half));
    const answer = await upload.read();
    upload.close();
    assert.ok(answer);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(await ended, 0);

    const second = await world.start();
    const client = createClient(second.url);
    const object = await client.send("/bedrock/files/inputs/a.jsonl");
    assert.equal(object.headers.get("etag"), answer.headers.get("etag"));
    assert.equal(await object.text(), lines);
    assert.equal(await holds(world.sandbox, "openai", "files"), 1);
  }));

Deno.test("a create under way is answered after SIGTERM, and the next gateway has the job", () =>
  withWorld(async (world) => {
    const first = await world.start();
    const client = createClient(first.url);
    await client.upload("inputs/a.jsonl");
    await fault(world.sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      delayAfterSeconds: 1,
    });
    const creating = client.create("inputs/a.jsonl", { clientRequestToken: "token" });
    await underWay(world.sandbox, "/batches");
    const { ended } = await ask(first);
    const arn = await creating;
    assert.equal(await ended, 0);

    const second = createClient((await world.start()).url);
    assert.equal((await second.get(arn)).jobArn, arn);
    assert.equal(await second.create("inputs/a.jsonl", { clientRequestToken: "token" }), arn);
    assert.equal(await holds(world.sandbox, "openai", "batches"), 1);
  }));

Deno.test("an upload that stands still is cut off at the limit, the exit code is 0, and nothing is left", () =>
  withWorld(async (world) => {
    const first = await world.start(0.3);
    const upload = await beginUpload(world, first);
    assert.equal(await first.stop(), 0);
    assert.equal(await upload.read(), undefined);
    upload.close();

    const second = createClient((await world.start()).url);
    const object = await second.send("/bedrock/files/inputs/a.jsonl");
    assert.equal(object.status, 404);
    await object.body?.cancel();
    assert.equal(await holds(world.sandbox, "openai", "files"), 0);
  }));

Deno.test("a create that its provider holds up is cut off at the limit, and found by the next gateway", () =>
  withWorld(async (world) => {
    const first = await world.start(0.3);
    const client = createClient(first.url);
    await client.upload("inputs/a.jsonl");
    await fault(world.sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      delayAfterSeconds: 60,
    });
    const token = { clientRequestToken: "token" };
    const creating = assert.rejects(client.create("inputs/a.jsonl", token));
    await underWay(world.sandbox, "/batches");
    assert.equal(await first.stop(), 0);
    await creating;

    const second = createClient((await world.start()).url);
    const arn = await second.create("inputs/a.jsonl", token);
    assert.deepEqual((await second.list()).map(({ jobArn }) => jobArn), [arn]);
    assert.equal(await holds(world.sandbox, "openai", "batches"), 1);
  }));

Deno.test("a second signal ends the process at once, with 130", () =>
  withWorld(async (world) => {
    const gateway = await world.start();
    const upload = await beginUpload(world, gateway);
    const { ended } = await ask(gateway);
    Deno.kill(gateway.pid, "SIGINT");
    assert.equal(await ended, 130);
    assert.equal(await upload.read().catch(() => undefined), undefined);
    upload.close();
  }));
