import assert from "node:assert/strict";
import { openOrMakeBox } from "../../access/secret_key.ts";
import { noteOrigin } from "../../catalog/origin.ts";
import { diskTrouble } from "../../runtime/disk.ts";
import { diskId } from "../../objects/disk_id.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import { converse, createClient as createTranslated } from "../jobs/sharded/client.ts";
import {
  asked,
  createClient,
  fault,
  holds,
  ledger,
  mend,
  openaiLines,
  until,
} from "../jobs/wire.ts";
import {
  canMount,
  type CrampedGateway,
  mountSmallDisk,
  startOnSmallDisk,
  waysOfNoRoom,
} from "./full_disk.ts";

type Client = ReturnType<typeof createClient>;

const part = `${openaiLines.padEnd(99_999)}\n`;
const files = "/bedrock/files/bucket";

async function textOf(response: Response): Promise<string> {
  return await response.text();
}

/** Opens an upload in parts; its id. */
async function beginUpload(client: Client): Promise<string> {
  const opened = await textOf(
    await client.send(`${files}/parts.jsonl?uploads`, { method: "POST" }),
  );
  return /<UploadId>(.*)<\/UploadId>/.exec(opened)?.[1] ?? assert.fail(opened);
}

function putPart(client: Client, uploadId: string, number: number): Promise<Response> {
  const query = `partNumber=${number}&uploadId=${uploadId}`;
  return client.send(`${files}/parts.jsonl?${query}`, { method: "PUT", body: part });
}

/** Requests that need room, by name, each with what its answer must say. */
const writes: Readonly<
  Record<string, (client: Client, uploadId: string) => Promise<Response>>
> = {
  "a new object": (client) => client.put("bucket/new.jsonl", openaiLines),
  "an object in the place of another": (client) => client.put("bucket/a.jsonl", "{}\n"),
  "a copy": (client) =>
    client.send(`${files}/copy.jsonl`, {
      method: "PUT",
      headers: { "x-amz-copy-source": "/bucket/a.jsonl" },
    }),
  "a new upload": (client) => client.send(`${files}/b.jsonl?uploads`, { method: "POST" }),
  "a part": (client, uploadId) => putPart(client, uploadId, 2),
  "a part again": (client, uploadId) => putPart(client, uploadId, 1),
  "a deletion": (client) => client.send(`${files}/a.jsonl`, { method: "DELETE" }),
  "a job": (client) => client.createRaw("bucket/a.jsonl", { clientRequestToken: "while-full" }),
};

/** What a client may do while there is no room: all that only reads, and nothing that writes. */
async function whileFull(client: Client, uploadId: string, jobArn: string): Promise<void> {
  for (const [what, write] of Object.entries(writes)) {
    const response = await write(client, uploadId);
    const text = await textOf(response);
    assert.equal(response.status, 503, `${what}: ${text}`);
    assert.match(text, /disk/, what);
    assert.ok(Number(response.headers.get("retry-after")) > 0, what);
    const isBedrock = what === "a job";
    if (isBedrock) {
      assert.equal(response.headers.get("x-amzn-errortype"), "ServiceUnavailableException");
    } else assert.match(text, /<Code>ServiceUnavailable<\/Code>/, what);
  }
  const read = await client.send(`${files}/a.jsonl`);
  assert.equal(await textOf(read), openaiLines);
  const listed = await textOf(await client.send(`${files}?list-type=2`));
  assert.deepEqual(listed.match(/<Key>.*?<\/Key>/g), ["<Key>a.jsonl</Key>"]);
  assert.equal((await client.get(jobArn)).jobArn, jobArn);
  assert.ok((await client.list()).some((job) => job.jobArn === jobArn));
  const healthy = await client.send("/healthz");
  assert.deepEqual([healthy.status, await healthy.json()], [200, { status: "ok" }]);
  const ready = await client.send("/readyz");
  const { status, disk } = await ready.json();
  assert.deepEqual([ready.status, status], [503, "disk"]);
  assert.match(disk.catalog, /full|failing/);
}

/** Names of files in the spool of parts, of any upload. */
async function spooled(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/spool`)) {
    if (!isDirectory || name.length !== 32) continue;
    for await (const file of Deno.readDir(`${folder}/spool/${name}`)) names.push(file.name);
  }
  return names;
}

/** Drafts of results that were left in a folder. */
async function drafts(folder: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  return names.filter((name) => name.startsWith("."));
}

/** Everything that was refused goes through, once, and what was acknowledged before is as it was. */
async function afterwards(client: Client, uploadId: string): Promise<void> {
  const ready = async () => {
    const response = await client.send("/readyz");
    await response.body?.cancel();
    return response.status === 200;
  };
  await until("the gateway is ready again", ready);
  const job = await client.create("bucket/a.jsonl", { clientRequestToken: "while-full" });
  assert.equal(await client.create("bucket/a.jsonl", { clientRequestToken: "while-full" }), job);
  await client.upload("bucket/new.jsonl");
  const complete = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part>` +
    `</CompleteMultipartUpload>`;
  const etag = await textOf(await client.send(`${files}/parts.jsonl?uploadId=${uploadId}`));
  const tag = /<ETag>(.*?)<\/ETag>/.exec(etag)?.[1] ?? assert.fail(etag);
  const completed = await client.send(`${files}/parts.jsonl?uploadId=${uploadId}`, {
    method: "POST",
    body: complete.replace("</Part>", `<ETag>${tag}</ETag></Part>`),
  });
  assert.match(await textOf(completed), /CompleteMultipartUploadResult/);
}

/** Provider files that were put as inputs. */
async function inputs(sandbox: Sandbox): Promise<number> {
  const { holdings } = await ledger(sandbox);
  const items = holdings["openai"]?.["files"]?.items ?? [];
  return items.filter((item) => item["purpose"] === "batch").length;
}

/** A whole life beside a disk that fills up and is emptied again. */
async function live(cramped: CrampedGateway, sandbox: Sandbox): Promise<void> {
  const { gateway, folder } = cramped;
  const client = createClient(gateway.url);
  // The batch is over while there is no room, and no sooner.
  await fault(sandbox, {
    provider: "openai",
    method: "GET",
    path: "/batches",
    status: 503,
    times: 1000,
  });
  await client.upload("bucket/a.jsonl");
  const jobArn = await client.create("bucket/a.jsonl");
  const uploadId = await beginUpload(client);
  assert.equal(await textOf(await putPart(client, uploadId, 1)), "");
  const parts = await spooled(folder);
  const uploads = await asked(sandbox, "POST", /\/files$/);
  await cramped.fill();
  await mend(sandbox);
  await whileFull(client, uploadId, jobArn);
  await until("the results of the job are to be kept", async () => {
    assert.notEqual((await client.get(jobArn)).status, "Completed");
    return gateway.log().includes("they will be tried again");
  });
  // The first put may find out that the disk is full; the second one's bytes go nowhere.
  assert.ok(await asked(sandbox, "POST", /\/files$/) <= uploads + 1);
  // Nothing of what was refused is anywhere.
  assert.deepEqual(await spooled(folder), parts);
  assert.equal(await holds(sandbox, "openai", "batches"), 1);
  await cramped.free();
  await afterwards(client, uploadId);
  await until("the job ends", async () => (await client.get(jobArn)).status === "Completed");
  const id = jobArn.split("/").at(-1);
  const results = await textOf(await client.send(`/bedrock/files/out/${id}/a.jsonl.out`));
  assert.equal(results.trimEnd().split("\n").length, 3);
  assert.deepEqual(await drafts(`${folder}/kept`), []);
  await until("only what was put is at the provider", async () => await inputs(sandbox) === 3);
  assert.equal(await holds(sandbox, "openai", "batches"), 2);
  assert.deepEqual(await spooled(folder), []);
  assert.match(gateway.log(), /The disk is (full|failing)/);
  assert.match(gateway.log(), /The disk can be written to again/);
  assert.equal(await gateway.stop(), 0);
}

for (const { what, ignore, start } of waysOfNoRoom) {
  Deno.test({
    name: `${what}: nothing acknowledged is lost, nothing half done, and it goes on by itself`,
    ignore,
    async fn() {
      const sandbox = await startSandbox({ batchSeconds: 0.2 });
      const configuration = await Deno.makeTempFile({ suffix: ".jsonc" });
      const keep = `{ "results": { "keep": { "folder": "\${BATCHWAY_DATA}/kept" } } }`;
      await Deno.writeTextFile(configuration, keep);
      let cramped: CrampedGateway | undefined;
      try {
        cramped = await start({
          ...sandboxEnvironment(sandbox),
          BATCHWAY_POLL_SECONDS: "0",
          BATCHWAY_SWEEP_SECONDS: "0.2",
          BATCHWAY_CONFIG: configuration,
        });
        await live(cramped, sandbox);
      } finally {
        await cramped?.remove();
        await Deno.remove(configuration);
        await sandbox.close();
      }
    },
  });
}

Deno.test({
  name: "on a disk that parts have filled, an upload can be aborted, which makes room",
  ignore: !canMount,
  async fn() {
    const sandbox = await startSandbox();
    const cramped = await startOnSmallDisk(sandboxEnvironment(sandbox));
    try {
      const client = createClient(cramped.gateway.url);
      const [first, second] = [await beginUpload(client), await beginUpload(client)];
      for (const id of [first, second]) {
        assert.equal(await textOf(await putPart(client, id, 1)), "");
      }
      await cramped.fill();
      assert.equal((await textOf(await putPart(client, second, 2))).includes("disk"), true);
      const query = `?uploadId=${first}`;
      const aborted = await client.send(`${files}/parts.jsonl${query}`, { method: "DELETE" });
      assert.deepEqual([aborted.status, await textOf(aborted)], [204, ""]);
      const gone = await client.send(`${files}/parts.jsonl${query}`);
      assert.match(await textOf(gone), /<Code>NoSuchUpload<\/Code>/);
      // The other one has its part still.
      const kept = await client.send(`${files}/parts.jsonl?uploadId=${second}`);
      assert.match(await textOf(kept), /<PartNumber>1<\/PartNumber>/);
      await client.upload("bucket/a.jsonl");
    } finally {
      await cramped.remove();
      await sandbox.close();
    }
  },
});

Deno.test({
  name: "a full disk delays a translated job, at its results too, and readiness says so",
  ignore: !canMount,
  async fn() {
    const sandbox = await startSandbox({ batchSeconds: 0.2 });
    const kept = await Deno.makeTempDir({ prefix: "batchway-room-" });
    const configuration = `${kept}/batchway.jsonc`;
    // The catalog and what is kept have room; what is gathered has none.
    const store = JSON.stringify({ objects: { store: { folder: `${kept}/objects` } } });
    await Deno.writeTextFile(configuration, store);
    const disk = await mountSmallDisk();
    const data = `${kept}/data`;
    await Deno.mkdir(`${data}/spool`, { recursive: true });
    await Deno.symlink(disk.folder, `${data}/spool/results`);
    const gateway = await spawnGateway({
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: data,
      BATCHWAY_CONFIG: configuration,
      BATCHWAY_POLL_SECONDS: "0",
      BATCHWAY_SWEEP_SECONDS: "0.2",
    });
    try {
      const client = createTranslated(gateway.url);
      await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
      const id = await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl");
      await disk.fill();
      await until("the results are to be gathered", async () => {
        assert.notEqual((await client.get("openai", id)).status, "Failed");
        return gateway.log().includes("The disk is full");
      });
      const ready = await fetch(`${gateway.url}/readyz`);
      assert.deepEqual([ready.status, (await ready.json()).disk], [503, { scratch: "full" }]);
      await disk.free();
      const job = await client.ended("openai", id);
      assert.deepEqual([job.status, job.successRecordCount], ["Completed", 1]);
      const again = await fetch(`${gateway.url}/readyz`);
      assert.deepEqual([again.status, (await again.json()).disk], [200, "ok"]);
    } finally {
      await gateway.kill();
      await disk.remove();
      await Deno.remove(kept, { recursive: true });
      await sandbox.close();
    }
  },
});

Deno.test("where drafts may not be written to disk, a small translated job is gathered in memory", async () => {
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const data = await Deno.makeTempDir({ prefix: "batchway-closed-" });
  await Deno.writeTextFile(`${data}/batchway.jsonc`, '{ "objects": {} }');
  const gateway = await spawnGateway(
    {
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: data,
      BATCHWAY_CONFIG: `${data}/batchway.jsonc`,
    },
    ["run", "--no-prompt", "--cached-only", "-A", `--deny-write=${data}/spool/results`, "main.ts"],
  );
  try {
    const client = createTranslated(gateway.url);
    await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
    const id = await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl");
    const job = await client.ended("openai", id);
    assert.deepEqual([job.status, job.successRecordCount], ["Completed", 1]);
    assert.equal(await client.read("openai", "bucket/in.jsonl"), converse("a", "one"));
  } finally {
    await gateway.kill();
    await Deno.remove(data, { recursive: true });
    await sandbox.close();
  }
});

/** What is made once, with a name that nobody may take twice. */
const madeOnce: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  "the id of a disk": diskId,
  "the key of secrets": (folder) => openOrMakeBox({ configured: undefined, folder }),
  "the origin of a catalog": async (folder) => {
    await noteOrigin(`${folder}/catalog.kv`);
  },
};

for (const [what, make] of Object.entries(madeOnce)) {
  Deno.test({
    name: `${what} that finds no room leaves no empty file in its place, and is made later`,
    ignore: !canMount,
    async fn() {
      const disk = await mountSmallDisk();
      try {
        const folder = `${disk.folder}/data`;
        await Deno.mkdir(folder);
        await Deno.writeTextFile(`${folder}/catalog.kv`, "a catalog");
        await disk.fill();
        await assert.rejects(make(folder), (error: Error) => diskTrouble(error) === "full");
        const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
        assert.deepEqual(names, ["catalog.kv"]);
        await disk.free();
        await make(folder);
      } finally {
        await disk.remove();
      }
    },
  });
}
