/** SIGHUP: the configuration file is read again, by a gateway that goes on serving. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { until } from "./clients/session.ts";
import { type GatewayProcess, spawnGateway, unlimited } from "./gateway.ts";
import { serve } from "./providers/harness.ts";

/** What a provider answers to an upload, once it has all of it. */
async function taken(request: Request): Promise<Response> {
  const file = (await request.formData()).get("file");
  assert.ok(file instanceof File);
  const { name: filename, size: bytes } = file;
  const id = `file-${crypto.randomUUID().replaceAll("-", "")}`;
  return Response.json({ id, object: "file", bytes, created_at: 1, filename, purpose: "batch" });
}

/** A gateway on a file that the test rewrites, and the keys that its providers were sent. */
async function onGateway(
  args: readonly string[],
  work: (
    gateway: GatewayProcess,
    write: (file: unknown) => Promise<void>,
    sent: string[],
    url: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-reload-" });
  const sent: string[] = [];
  await using provider = serve(async (request) => {
    const { pathname } = new URL(request.url);
    const key = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    // The gateway's own look whether a URL leads back to it carries no key.
    if (key !== "") sent.push(`${pathname.split("/")[1]} ${key}`);
    if (key.includes("bad")) {
      return Response.json({ error: { message: `no such key ${key}` } }, { status: 401 });
    }
    if (request.method === "POST") return await taken(request);
    return Response.json({ object: "list", data: [], has_more: false });
  });
  const path = `${folder}/batchway.jsonc`;
  const write = async (file: unknown) => {
    await Deno.writeTextFile(path, typeof file === "string" ? file : JSON.stringify(file));
  };
  await write(fileOf(provider.url, "first-bad"));
  const gateway = await spawnGateway({
    BATCHWAY_DATA: `${folder}/data`,
    BATCHWAY_CONFIG: path,
    BATCHWAY_LOG: "json",
  }, args);
  try {
    await work(gateway, write, sent, provider.url);
  } finally {
    const ended = gateway.stop();
    await hangUpAtEnd(gateway);
    assert.equal(await ended, 0, gateway.log());
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Sends SIGHUP to a gateway once it is ending, and not earlier: of two signals in one moment `deno task`
 * hands on only the later (2.9.6).
 */
async function hangUpAtEnd(gateway: GatewayProcess): Promise<void> {
  await until(() => gateway.log().includes("Shutting down"));
  try {
    Deno.kill(gateway.pid, "SIGHUP");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const fileOf = (url: string, apiKey: string, more: Readonly<Record<string, unknown>> = {}) => ({
  defaultProvider: "one",
  providers: {
    one: { kind: "openai", baseUrl: `${url}/one`, apiKey },
    two: { kind: "openai", baseUrl: `${url}/two`, apiKey: "second" },
  },
  ...more,
});

/** Has the file read again, and waits until the log says how that went. */
async function reload(gateway: GatewayProcess): Promise<Record<string, unknown>> {
  const lines = () =>
    gateway.log().split("\n").filter((line) => /"The configuration was /.test(line));
  const before = lines().length;
  Deno.kill(gateway.pid, "SIGHUP");
  await until(() => lines().length > before);
  return JSON.parse(lines().at(-1) ?? "");
}

const list = async (gateway: GatewayProcess, bucket: string) => {
  const answer = await fetch(`${gateway.url}/bedrock/files/${bucket}?list-type=2`);
  await answer.body?.cancel();
  return answer.status;
};

for (
  const [name, args] of [["the program", unlimited()], ["the task", ["task", "start"]]] as const
) {
  Deno.test(`at SIGHUP ${name} takes keys, default and bindings over without a new start`, () =>
    onGateway(args, async (gateway, write, sent, url) => {
      assert.notEqual(await list(gateway, "one"), 200);
      assert.deepEqual(sent.splice(0), ["one first-bad"]);

      await write(fileOf(url, "fresh"));
      assert.deepEqual((await reload(gateway))["changed"], ["providers.one.accounts.default"]);
      assert.equal(await list(gateway, "one"), 200);
      assert.deepEqual(sent.splice(0), ["one fresh"]);

      await write(fileOf(url, "fresh", { buckets: { one: { provider: "two", native: true } } }));
      assert.deepEqual((await reload(gateway))["changed"], ["buckets"]);
      assert.equal(await list(gateway, "one"), 200);
      await write(fileOf(url, "fresh", { defaultProvider: "two" }));
      assert.deepEqual((await reload(gateway))["changed"], ["defaultProvider", "buckets"]);
      assert.equal(await list(gateway, "two"), 200);
      assert.deepEqual(sent.splice(0), ["two second", "two second"]);
      const prices = { "*": { input: 1, output: 2 } };
      await write(fileOf(url, "fresh", { defaultProvider: "two", prices }));
      assert.deepEqual((await reload(gateway))["changed"], ["prices"]);
      assert.doesNotMatch(gateway.log(), /first-bad|fresh/);
    }));
}

Deno.test("limits, models and limits of batches change while the gateway serves, and SIGHUP ends it at no time", () =>
  onGateway(unlimited(), async (gateway, write, _sent, url) => {
    const { providers, ...rest } = fileOf(url, "fresh");
    await write({ ...rest, providers, limits: { requestsPerSecond: 0 } });
    const slow = await reload(gateway);
    assert.deepEqual(slow["changed"], ["providers.one.accounts.default", "limits"]);
    const statuses = [await list(gateway, "one"), await list(gateway, "one")];
    assert.deepEqual(statuses, [200, 503]);
    const one = { ...providers.one, batchLimits: { records: 5 } };
    await write({ ...rest, providers: { ...providers, one }, models: { a: { one: "b" } } });
    assert.deepEqual(
      (await reload(gateway))["changed"],
      ["models", "limits", "providers.one.batchLimits"],
    );
    assert.deepEqual([await list(gateway, "one"), await list(gateway, "one")], [200, 200]);
    assert.doesNotMatch(gateway.log(), /needRestart/);
  }));

Deno.test("a file with errors changes nothing, and what needs a start is named", () =>
  onGateway(unlimited(), async (gateway, write, sent, url) => {
    for (
      const [file, reason] of [
        ["{ not JSON", /batchway\.jsonc:1: is not JSON/],
        [fileOf(url, "fresh", { bukets: {} }), /bukets: .*nearest is buckets/],
        [{ providers: {} }, /No provider is configured/],
        ["", /No provider is configured/],
        [
          { ...fileOf(url, "fresh"), prices: 1, limits: { requestsPerSecond: -1 } },
          /2 errors:\s+limits\.requestsPerSecond: [^]*prices: /,
        ],
      ] as const
    ) {
      await write(file);
      const refused = await reload(gateway);
      assert.equal(
        refused["message"],
        "The configuration was not taken over; the one before stays",
      );
      assert.match(`${refused["reason"]}`, reason);
    }
    const added = fileOf(url, "fresh", { buckets: { one: { provider: "three" } } });
    const three = { kind: "openai", baseUrl: `${url}/three`, apiKey: "third" };
    await write({ ...added, providers: { ...added.providers, three }, implicitBuckets: false });
    assert.deepEqual((await reload(gateway))["changed"], ["providers.one.accounts.default"]);
    await until(() => gateway.log().includes("needRestart"));
    const line = gateway.log().split("\n").find((one) => one.includes("needRestart")) ?? "";
    const names: string[] = JSON.parse(line).needRestart;
    assert.deepEqual(names.toSorted(), ["buckets", "implicitBuckets", "providers"]);
    assert.equal(await list(gateway, "one"), 200);
    assert.deepEqual(sent, ["one fresh"]);
  }));

Deno.test("SIGHUP ends no sandbox, also while it starts, and the log says that it changes nothing", async () => {
  const sandbox = await spawnGateway(
    { BATCHWAY_LOG: "json" },
    [...unlimited("sandbox/main.ts"), "--port", "0"],
    ["/bin/sh", "-c", 'trap "" HUP; exec "$0" "$@"'],
  );
  try {
    for (const times of [1, 2]) {
      Deno.kill(sandbox.pid, "SIGHUP");
      await until(() => sandbox.log().split("SIGHUP changes nothing here").length > times);
    }
    const answer = await fetch(`${sandbox.url}/healthz`);
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
  } finally {
    assert.equal(await sandbox.stop(), 0, sandbox.log());
  }
});

Deno.test("no request is broken by keys and prices that change under it, however often", () =>
  onGateway(unlimited(), async (gateway, write, sent, url) => {
    const keys = ["key-a", "key-b", "key-c"];
    await write(fileOf(url, "key-a"));
    await reload(gateway);
    const halves = ['{"custom_id":"a"}\n', '{"custom_id":"b"}\n'];
    const put = request(`${gateway.url}/bedrock/files/one/in.jsonl`, {
      method: "PUT",
      headers: { "content-length": halves.join("").length },
    });
    const answered = new Promise<number | undefined>((resolve, reject) =>
      put.on("response", (answer) => resolve(answer.resume().statusCode)).on("error", reject)
    );
    await new Promise<void>((resolve) => put.write(halves[0], () => resolve()));
    const statuses: number[] = [];
    for (let round = 0; round < 12; round++) {
      const asking = Promise.all(Array.from({ length: 6 }, () => list(gateway, "one")));
      const prices = { "*": { input: round, output: 1 } };
      await write(fileOf(url, keys[round % 3] ?? "", { prices }));
      const { changed } = await reload(gateway);
      assert.ok(`${changed}`.includes("prices"), `${changed}`);
      statuses.push(...await asking);
    }
    put.end(halves[1]);
    assert.equal(await answered, 200);
    assert.deepEqual(new Set(statuses), new Set([200]));
    assert.deepEqual(new Set(sent), new Set(keys.map((key) => `one ${key}`)));
  }));
