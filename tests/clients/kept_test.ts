import assert from "node:assert/strict";
import { temporaryFolder } from "../catalog/memory.ts";
import { type ClientError, heldFiles, ledgerOf, runClient, withGateway } from "./session.ts";

type Marks = Readonly<Record<string, boolean>>;

interface Seen {
  readonly tags: Marks;
  readonly reads: Readonly<Record<string, readonly unknown[]>>;
  readonly sizes: Marks;
  readonly listed: Marks;
  readonly ranges: readonly string[];
  readonly conditions: readonly number[];
  readonly wrong: readonly string[];
  readonly copied: boolean;
  readonly own: boolean;
  readonly over: boolean;
  readonly outlives: boolean;
  readonly parts: Readonly<Record<string, unknown>>;
  readonly job: ClientError;
  readonly declared: string;
  readonly kept: boolean;
  readonly left: number;
}

const names = ["broken.jsonl", "converse.jsonl", "empty", "image.png", "table.csv"];
const all = Object.fromEntries(names.map((name) => [name, true]));

/** Asserts what is the same for every provider and store. */
function assertKept(seen: Seen, provider: string): void {
  assert.deepEqual([seen.tags, seen.sizes, seen.listed], [all, all, all]);
  for (const read of Object.values(seen.reads)) assert.deepEqual(read, [true, "x/y", true]);
  assert.deepEqual(seen.ranges, ["id", "name", "a\n"]);
  assert.deepEqual(seen.conditions, [412, 304, 416]);
  assert.deepEqual(seen.wrong, ["BadDigest", "PreconditionFailed"]);
  const { copied, over, outlives, kept, left } = seen;
  assert.deepEqual([copied, over, outlives, kept, left], [true, true, true, true, 0]);
  assert.deepEqual(seen.parts, { etag: true, bytes: true, second: "the end" });
  assert.equal(seen.declared, "InvalidArgument");
  // What takes no files keeps lines of its own dialect, too.
  assert.equal(seen.own, provider === "anthropic");
}

for (const provider of ["openai", "gemini", "anthropic"] as const) {
  Deno.test(`any bytes are kept, read, copied and deleted as on S3 at ${provider}`, async () => {
    await using folder = await temporaryFolder();
    await withGateway(async ({ url, sandbox }) => {
      const seen = await runClient<Seen>("kept.py", [url, provider, `${folder.path}/large`]);
      assertKept(seen, provider);
      if (provider !== "anthropic") {
        assert.equal(seen.job.code, "ValidationException");
        assert.match(seen.job.message, /first record of the job.s input is not/);
        assert.deepEqual(await heldFiles(sandbox, provider), []);
      }
    }, { configuration: '{"objects": {}}' });
  });
}

Deno.test("with a bucket as store, objects and parts of uploads are there and on no disk", async () => {
  await using folder = await temporaryFolder();
  const store = { bucket: "s3://kept/by us", provider: "bedrock" };
  await withGateway(async ({ url, sandbox }) => {
    const seen = await runClient<Seen>("kept.py", [url, "openai", `${folder.path}/large`]);
    assertKept(seen, "openai");
    const { requests } = await ledgerOf(sandbox);
    const puts = requests.filter(({ provider, method }) => provider === "s3" && method === "PUT");
    const places = new Set(puts.map(({ path }) => path.split("/").slice(0, 4).join("/")));
    const below = ["kept", "labels", "parts"].map((name) => `/kept/by%20us/${name}`);
    assert.deepEqual([...places].toSorted(), below);
  }, { configuration: JSON.stringify({ objects: { store } }) });
});

Deno.test("with copies of all, an input at gemini is read back, and goes with its file", async () => {
  await withGateway(async ({ url, sandbox }) => {
    const path = `${url}/bedrock/files/bucket/in.jsonl`;
    const headers = { "x-model-provider": "gemini" };
    const body = '{"key":"a","request":{"contents":[{"parts":[{"text":"hello"}]}]}}\n';
    const put = await fetch(path, { method: "PUT", headers, body });
    await put.body?.cancel();
    assert.match(put.headers.get("etag") ?? "", /^"files\//);
    assert.equal((await heldFiles(sandbox, "gemini")).length, 1);
    assert.equal(await (await fetch(path, { headers })).text(), body);
    const part = await fetch(path, { headers: { ...headers, range: "bytes=1-5" } });
    assert.deepEqual([part.status, await part.text()], [206, body.slice(1, 6)]);
    const gone = await fetch(path, { method: "DELETE", headers });
    await gone.body?.cancel();
    assert.equal(gone.status, 204);
    assert.deepEqual(await heldFiles(sandbox, "gemini"), []);
  }, { configuration: '{"objects": {"keep": "all"}}' });
});
