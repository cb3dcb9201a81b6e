import assert from "node:assert/strict";
import { jobId } from "../../../codecs/ids.ts";
import { createGemini } from "../../../providers/gemini/mod.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import { chunks, quiet, textOf, world } from "../harness.ts";

Deno.test("a job lives from the upload of older lines to results on a simulated Gemini", async () => {
  let time = Date.parse("2026-11-24T12:00:00Z");
  const sandbox = await startSandbox({ batchSeconds: 10 }, { now: () => new Date(time) });
  await using outside = world();
  const { accounts: [account] } = createGemini({
    name: "gemini",
    kind: "gemini",
    baseUrl: sandbox.geminiUrl,
    accounts: [{ name: "a", apiKey: sandboxKeys.gemini, weight: 1 }],
  }, outside.deps);
  assert(account?.files !== undefined);
  const { files, batches } = account;

  const lines = ["r1", "r2"].map((key) =>
    `{"request":{"contents":[{"role":"user","parts":[{"text":"Hi ${key}"}]}]},` +
    `"metadata":{"key":"${key}"}}\n`
  );
  const bytes = lines.join("").length;
  const file = { name: "a.jsonl", contentType: "text/plain", bytes, body: chunks(lines) };
  const input = await files.put(file, quiet());
  assert.equal(input.bytes, bytes);
  assert.deepEqual(await files.head(input.id, quiet()), input);
  assert.deepEqual((await files.list(undefined, quiet())).items.map(({ id }) => id), [input.id]);

  const started = await batches.create({
    jobId: jobId("m2abcdef1234"),
    jobName: "nightly",
    modelId: "gemini-2.5-flash",
    input: input.id,
    tags: {},
  }, quiet());
  assert.deepEqual([started.jobId, started.name], ["m2abcdef1234", "nightly"]);
  assert((await batches.list(undefined, quiet())).items.some(({ id }) => id === started.id));

  time += 60_000;
  const done = await batches.get(started.id, quiet());
  assert.deepEqual([done.status, done.message], ["Completed", undefined]);
  assert.deepEqual(done.counts, { total: 2, processed: 2, success: 2, error: 0 });
  const [result] = done.results;
  assert(result !== undefined);
  const text = await textOf(await files.read(result, undefined, quiet()));
  assert.deepEqual(text.trim().split("\n").map((line) => JSON.parse(line).key), ["r1", "r2"]);
  assert.equal((await files.head(result, quiet())).bytes, new TextEncoder().encode(text).length);
  assert.equal(
    await textOf(await files.read(result, { first: 2, last: 5 }, quiet())),
    text.slice(2, 6),
  );

  await files.delete(result, quiet());
  await files.delete(input.id, quiet());
  await assert.rejects(files.head(input.id, quiet()), /does not have/);
  await sandbox.close();
});
