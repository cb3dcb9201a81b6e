import assert from "node:assert/strict";
import type { JobEntry, JournalEntry } from "../../catalog/entries.ts";
import { judgeEntry } from "../../catalog/entry_kinds.ts";
import { ensureSchema } from "../../catalog/schema.ts";
import { keys } from "../../catalog/keys.ts";
import { createClient, holds, openaiLines, until } from "../jobs/wire.ts";
import { readFixture, type Seen, startOnFixture, writeAsBefore } from "./fixtures/fixture.ts";
import { all, openCatalog, sleep } from "./memory.ts";

/**
 * What a gateway of schema 2 had before it was killed: a job whose results leave out lines that came
 * twice, two native jobs, of which one runs, and two creates under way. The provider was not reached
 * by one of these creates (`unasked`), and has made the batch of the other (`unanswered`).
 */
interface SeenWork extends Seen {
  readonly cut: string;
  readonly over: string;
  readonly running: string;
}

const fixture = await readFixture<SeenWork>("schema_2_under_way");
const { seen } = fixture;
/** After this time no lease of the dead gateway holds, and its provider shows what it has made. */
const afterDeath = 60_000;
const afterBatches = 2 * 3_600_000;

Deno.test("jobs and creates of schema 2 get plans by whether they are native", async () => {
  using open = await openCatalog();
  await writeAsBefore(open.kv, fixture);
  await ensureSchema(open.kv, sleep, "The catalog");
  const jobs = await all(open.kv.list<JobEntry>({ prefix: ["job"] }));
  const kinds = jobs.map(({ key, value }) => [key[1], value.plan.kind]);
  assert.deepEqual(kinds, [["@native", "native"], ["@native", "native"], ["default", "direct"]]);
  const creates = await all(open.kv.list<JournalEntry>({ prefix: keys.journal() }));
  assert.deepEqual(creates.map(({ value }) => value.job.plan.kind), ["direct", "direct"]);
  const wrong = (await all(open.kv.list({ prefix: [] })))
    .filter(({ key, value }) => judgeEntry(key, value) !== "right");
  assert.deepEqual(wrong, []);
});

Deno.test("results of schema 2 that leave out lines, and those of a native job, are read as before, whole and in part", async () => {
  await using gateway = await startOnFixture(fixture);
  const client = createClient(gateway.url);
  assert.equal(Object.keys(seen.objects).length, 3);
  for (const [key, { etag, text }] of Object.entries(seen.objects)) {
    const whole = await client.send(`/bedrock/files/${key}`);
    assert.deepEqual([await whole.text(), whole.headers.get("etag")], [text, etag], key);
    const half = Math.floor(text.length / 2);
    const range = { range: `bytes=${half}-`, "if-match": etag };
    const part = await client.send(`/bedrock/files/${key}`, { headers: range });
    assert.deepEqual([part.status, await part.text()], [206, text.slice(half)], key);
  }
  assert.deepEqual((await client.list()).filter(isSeen), seen.jobs);
  assert.match(String((await client.get(seen.cut)).message), /2 lines .* were left out/);
});

Deno.test("a native job of schema 2 that runs is polled to its end, and its results are read", async () => {
  await using gateway = await startOnFixture(fixture);
  const client = createClient(gateway.url);
  assert.equal((await client.get(seen.over)).status, "Completed");
  assert.notEqual((await client.get(seen.running)).status, "Completed");
  gateway.time.past = afterBatches;
  const { status, inputDataConfig } = await client.get(seen.running);
  assert.equal(status, "Completed");
  const input = /file-[0-9a-z]+/.exec(JSON.stringify(inputDataConfig))?.[0];
  const key = `openai/${seen.running.split("/").at(-1)}/${input}.out`;
  const response = await client.send(`/bedrock/files/${key}`);
  assert.equal((await response.text()).trimEnd().split("\n").length, 2);
});

Deno.test("creates that schema 2 left under way are finished by their clients' retries, with one batch each", async () => {
  await using gateway = await startOnFixture(fixture);
  const client = createClient(gateway.url);
  const before = await holds(gateway.sandbox, "openai", "batches");
  // The first sweep finds the leases of the dead gateway held; a later one would end what is unasked.
  await until("a sweep is over", async () => {
    const metrics = await (await client.send("/metrics")).text();
    return metrics.includes('batchway_sweeps_total{outcome="ok"} 1');
  });
  gateway.time.past = afterDeath;
  const ids = new Map(begun().map(({ job }) => [job.name, job.id]));
  const arns: string[] = [];
  for (const name of ["unasked", "unanswered"]) {
    const more = { jobName: name, clientRequestToken: `token-${name}` };
    const arn = await client.create(`team-a/in/${name}.jsonl`, more);
    assert.ok(arn.endsWith(`/${ids.get(name)}`), `${name}: ${arn}`);
    assert.equal(await client.create(`team-a/in/${name}.jsonl`, more), arn);
    arns.push(arn);
  }
  // The batch of the other was there.
  assert.equal(await holds(gateway.sandbox, "openai", "batches"), before + 1);
  gateway.time.past = afterBatches;
  for (const arn of arns) assert.equal((await client.get(arn)).status, "Completed");
});

Deno.test("of creates that schema 2 left under way and no client repeats, the sweep records what has a batch and gives up the rest", async () => {
  await using gateway = await startOnFixture(fixture, {
    past: afterDeath,
    leaseMilliseconds: 500,
    longestCreateMilliseconds: 200,
    env: { BATCHWAY_SWEEP_SECONDS: "1" },
  });
  const client = createClient(gateway.url);
  {
    using kv = await Deno.openKv(gateway.catalogPath);
    const isDone = async () => (await all(kv.list({ prefix: keys.journal() }))).length === 0;
    await until("no create is under way any more", isDone);
  }
  const found = (await client.list()).filter((job) => !isSeen(job));
  assert.deepEqual(found.map(({ jobName }) => jobName), ["unanswered"]);
  // Its input and its token are free again.
  const key = "team-a/in/unasked.jsonl";
  const gone = await client.send(`/bedrock/files/${key}`, { method: "DELETE" });
  assert.equal(gone.status, 204);
  await client.upload(key, openaiLines);
  const arn = await client.create(key, { jobName: "new", clientRequestToken: "token-unasked" });
  assert.ok(!begun().some(({ job }) => arn.endsWith(job.id)));
});

function isSeen({ jobArn }: { readonly jobArn: string }): boolean {
  return seen.jobs.some((job) => job.jobArn === jobArn);
}

/** The creates under way, as the older version wrote them. */
function begun(): { readonly job: { readonly id: string; readonly name: string } }[] {
  return fixture.lines.map((line) => JSON.parse(line))
    .filter(({ k }) => k?.[0] === "journal")
    .map(({ v }) => v);
}
