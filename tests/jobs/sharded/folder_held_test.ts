/** A job's folder, and an input at another provider, that is deleted or replaced while the job runs. */
import assert from "node:assert/strict";
import { newJobId } from "../../../codecs/job_id.ts";
import type { JobId } from "../../../codecs/ids.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import type { Sandbox } from "../../../sandbox/server.ts";
import { objectRecord, openCatalog, scope } from "../../catalog/memory.ts";
import { startTestGateway, type TestGateway } from "../../gateway.ts";
import { quiet } from "../../objects/world.ts";
import { fault, mend, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";
import { withLimits } from "./limits_world.ts";

const configuration = JSON.stringify({
  defaultProvider: "openai",
  objects: {},
  buckets: { "at-gemini": { provider: "gemini" } },
});
const names = ["a", "b", "deep/c"];

function chat(id: string): string {
  const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] };
  return JSON.stringify({ custom_id: id, method: "POST", url: "/v1/chat/completions", body });
}

/** Kept by the gateway, or files at the provider. */
const forms: Readonly<Record<string, (id: string) => string>> = {
  "kept objects": (id) => converse(id, id),
  "provider files": chat,
};

async function files({ openaiUrl }: Sandbox): Promise<number> {
  const headers = { authorization: `Bearer ${sandboxKeys.openai}` };
  const { data }: { data: { purpose: string }[] } =
    await (await fetch(`${openaiUrl}/files`, { headers })).json();
  return data.filter(({ purpose }) => purpose === "batch").length;
}

async function remove({ url }: TestGateway, key: string, provider = "openai"): Promise<void> {
  const headers = { "x-model-provider": provider };
  const gone = await fetch(`${url}/bedrock/files/${key}`, { method: "DELETE", headers });
  assert.equal(gone.status, 204);
}

async function withGateway(work: (gateway: TestGateway) => Promise<void>): Promise<void> {
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

for (const [what, line] of Object.entries(forms)) {
  const run = (meanwhile: (gateway: TestGateway) => Promise<void>) =>
    withGateway(async (gateway) => {
      const client = createClient(gateway.url);
      for (const name of names) await client.put("openai", `bkt/fold/${name}.jsonl`, line(name));
      const id = await client.create("openai", "gpt-4o-mini", "s3://bkt/fold/");
      await meanwhile(gateway);
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      assert.equal(job.successRecordCount, names.length);
      for (const name of names) {
        const text = await client.read("openai", `results/out/${id}/${name}.jsonl.out`);
        const { recordId, custom_id: customId } = JSON.parse(text);
        assert.equal(recordId ?? customId, name);
      }
    });
  const removeAll = (gateway: TestGateway) =>
    Promise.all(names.map((name) => remove(gateway, `bkt/fold/${name}.jsonl`)));

  Deno.test(`a job reads the ${what} of its folder that were deleted at once, and they go once it is over`, () =>
    run(async (gateway) => {
      await removeAll(gateway);
      assert.deepEqual(await createClient(gateway.url).keys("openai", "bkt"), []);
    }));

  Deno.test(`a job reads the ${what} of its folder that were replaced at once as they were, and none that came later`, () =>
    run(async ({ url }) => {
      for (const name of [...names, "later"]) {
        await createClient(url).put("openai", `bkt/fold/${name}.jsonl`, line(`new-${name}`));
      }
    }));
}

Deno.test("files of a folder that are deleted while it is prepared are read, and go once the job is over", () =>
  withGateway(async (gateway) => {
    const { sandbox, url } = gateway;
    const client = createClient(url);
    for (const name of names) await client.put("openai", `bkt/fold/${name}.jsonl`, chat(name));
    assert.equal(await files(sandbox), names.length);
    const second = await fetch(`${url}/bedrock/files/bkt/fold/b.jsonl`, { method: "HEAD" });
    const path = `/files/${second.headers.get("etag")?.replaceAll('"', "")}/content`;
    await fault(sandbox, { provider: "openai", method: "GET", path, status: 503, times: 1_000 });
    const id = await client.create("openai", "gpt-4o-mini", "s3://bkt/fold/");
    for (const name of names) await remove(gateway, `bkt/fold/${name}.jsonl`);
    assert.match((await client.get("openai", id)).status, /^(Submitted|Validating)$/);
    assert.equal(await files(sandbox), names.length);
    await mend(sandbox);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
    await until("the files are gone", async () => await files(sandbox) === 0);
  }));

Deno.test("an input at another provider that is deleted at once is read to its end", () =>
  withGateway(async (gateway) => {
    const client = createClient(gateway.url);
    await client.put("gemini", "at-gemini/in.jsonl", converse("bound", "x"));
    const id = await client.create("openai", "gpt-4o-mini", "s3://at-gemini/in.jsonl");
    await remove(gateway, "at-gemini/in.jsonl", "gemini");
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
  }));

/** A job id of a time. */
function idAt(time: number): JobId {
  return newJobId(time, (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>));
}

Deno.test("a file that is being deleted cannot be held, and what is held stays until it is let go", async () => {
  using open = await openCatalog();
  const { catalog: { objects, pins } } = open;
  const pinOf = (name: string) => ({ provider: "cloud", key: name, ...objectRecord(name) });
  for (const name of ["one", "two"]) await objects.set(scope, "b", name, objectRecord(name));
  const id = idAt(1_000);
  const held = ["one", "two"].map(pinOf);
  await pins.hold(scope, id, held, false);
  assert.deepEqual((await Array.fromAsync(pins.all(scope, id))).map(({ key }) => key), [
    "one",
    "two",
  ]);
  const one = objectRecord("one");
  assert.equal(await objects.hasUses("cloud", one.file), true);
  await objects.remove(scope, "b", "two", objectRecord("two"), "trash");
  for (const names of [["one", "two"], ["one", "never there"]]) {
    await assert.rejects(pins.hold(scope, idAt(2_000), names.map(pinOf), false), /Put it again/);
  }
  await pins.hold(scope, idAt(3_000), [pinOf("native")], true);
  assert.equal((await pins.forget(scope, id)).length, 2);
  assert.deepEqual(await Array.fromAsync(pins.all(scope, id)), []);
});

Deno.test("the sweep lets go of what a killed gateway held for a create and for a job that is over, and not of one under way", () =>
  withLimits(
    { records: 2, bytes: 1e6, recordBytes: 1e6 },
    async ({ world, reach, create, ended }) => {
      const { catalog, jobs } = world;
      const at = { tenant: reach.tenant, provider: "openai" };
      const { key: _, ...record } = { key: "", ...objectRecord("file-held") };
      const pin = { ...record, key: "k.jsonl", provider: "openai" };
      const [dead, young] = [idAt(Date.now() - 7_200_000), idAt(Date.now())];
      for (const id of [dead, young]) await catalog.pins.hold(at, id, [pin], true);
      await jobs.sweep(quiet());
      assert.deepEqual(await Array.fromAsync(catalog.pins.all(at, dead)), []);
      assert.equal((await Array.fromAsync(catalog.pins.all(at, young))).length, 1);
      assert.equal(await catalog.objects.hasUses("openai", pin.file), true);
      await catalog.pins.forget(at, young);
      // As if a gateway had died between the end of the job and what follows it.
      const job = await ended(await create([converse("one", "one")]));
      const many = Array.from({ length: 120 }, (_, n) => ({ ...pin, key: `${n}.jsonl` }));
      await catalog.pins.hold(at, job.id, many, true);
      assert.equal(await catalog.objects.hasUses("openai", pin.file), true);
      await jobs.sweep(quiet());
      assert.deepEqual(await Array.fromAsync(catalog.pins.all(at, job.id)), []);
      assert.equal(await catalog.objects.hasUses("openai", pin.file), false);
    },
  ));
