import assert from "node:assert/strict";
import { jumpPatience } from "../../runtime/clock.ts";
import { createJobWorld, createRequest } from "../jobs/world.ts";
import { all } from "../catalog/memory.ts";
import { gate } from "../double.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { startTestGateway, type TestGateway } from "../gateway.ts";
import { until } from "../jobs/wire.ts";
import { withKeys } from "../keys.ts";
import { createWorld, newObject, quiet } from "../objects/world.ts";
import { type JumpingClock, jumpingClock } from "./clock.ts";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 10, 30);

/** How a wall clock may be wrong for a moment. */
const jumps = [
  ["two days forward", 48 * hour],
  ["an hour forward", hour],
  ["an hour back", -hour],
  ["two days back", -48 * hour],
] as const;

/** Lets time pass with looks at the clock, as the heartbeat of a gateway has them. */
function live({ clock, pass }: JumpingClock, milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= minute) {
    pass(Math.min(left, minute));
    clock.latest();
  }
}

for (const [how, by] of jumps) {
  Deno.test(`${how} for ten seconds: no object is hidden or forgotten, and no file deleted`, async () => {
    const jumping = jumpingClock(start);
    using world = await createWorld({
      clock: jumping.clock,
      expiresAt: new Date(start + jumpPatience + 2 * minute),
    });
    const { objects, reach, cloud } = world;
    live(jumping, jumpPatience);
    await objects.put(reach, newObject("a.jsonl"), quiet());
    jumping.jump(by);
    jumping.pass(10_000);
    const listing = { bucket: "bucket", prefix: "", delimiter: "", startAfter: "", maxKeys: 10 };
    const { objects: listed } = await objects.list(reach, listing, quiet());
    assert.deepEqual(listed.map(({ key }) => key), ["a.jsonl"]);
    await objects.sweep(-Infinity, quiet());
    assert.ok(await objects.find(reach, { bucket: "bucket", key: "a.jsonl" }, quiet()));
    jumping.jump(-by);
    await objects.sweep(-Infinity, quiet());
    assert.ok(await objects.find(reach, { bucket: "bucket", key: "a.jsonl" }, quiet()));
    assert.equal(cloud.files.size, 1);
    // Its time comes all the same.
    live(jumping, 2 * minute);
    assert.equal(
      await objects.find(reach, { bucket: "bucket", key: "a.jsonl" }, quiet()),
      undefined,
    );
  });

  Deno.test(`${how} for ten seconds: no job is stopped for its time`, async () => {
    const jumping = jumpingClock(start);
    using world = await createJobWorld({ clock: jumping.clock, now: jumping.clock.now });
    const { jobs, reach, cloud } = world;
    const request = createRequest({ timeoutDurationInHours: 24 });
    const { id } = await jobs.create(reach, undefined, request, quiet());
    live(jumping, hour);
    jumping.jump(by);
    jumping.pass(10_000);
    await jobs.sweep(quiet());
    assert.equal((await jobs.get(reach, undefined, id, quiet())).status, "InProgress");
    jumping.jump(-by);
    assert.equal((await jobs.get(reach, undefined, id, quiet())).status, "InProgress");
    assert.ok(!cloud.calls.includes("batches.stop"));
    live(jumping, 23 * hour);
    assert.equal((await jobs.get(reach, undefined, id, quiet())).status, "Stopping");
  });

  for (const whose of ["the gateway that creates", "another gateway"] as const) {
    Deno.test(`${how} at ${whose}: a create that is under way is not taken over`, async () => {
      const [first, second] = [jumpingClock(start), jumpingClock(start)];
      const wrong = whose === "another gateway" ? second : first;
      using one = await createJobWorld({ clock: first.clock, now: first.clock.now, virtual: true });
      using two = await createJobWorld({
        clock: second.clock,
        now: second.clock.now,
        instance: "two",
        cloud: one.cloud,
        catalogOf: { ...one, [Symbol.dispose]: () => {} },
        virtual: true,
      });
      const held = gate();
      one.cloud.before = (call) => call === "batches.create" ? held.wait() : undefined;
      const request = createRequest({ clientRequestToken: "token" });
      wrong.jump(by);
      const creating = one.jobs.create(one.reach, undefined, request, quiet());
      await held.reached;
      await two.jobs.sweep(quiet());
      assert.equal((await all(one.catalog.journal.entries())).length, 1);
      assert.equal(one.cloud.calls.filter((call) => call === "batches.list").length, 0);
      held.open();
      const job = await creating;
      wrong.jump(-by);
      const again = await two.jobs.create(two.reach, undefined, request, quiet());
      assert.equal(again.id, job.id);
      assert.equal(one.cloud.batches.size, 1);
    });
  }

  Deno.test(`${how}: a key that was disabled, or removed, is good no longer than ten seconds`, async () => {
    const jumping = jumpingClock();
    await withKeys(async ({ url }, keys) => {
      const disabled = await keys.add({});
      const removed = await keys.add({});
      const status = ({ bearerToken }: { bearerToken: string }) => answerTo(url, bearerToken);
      assert.deepEqual([await status(disabled), await status(removed)], [200, 200]);
      await keys.alter("disable", disabled.accessKeyId);
      await keys.alter("remove", removed.accessKeyId);
      jumping.jump(by);
      jumping.pass(10_000);
      assert.deepEqual([await status(disabled), await status(removed)], [403, 403]);
    }, { clock: jumping.clock });
  });
}

Deno.test("a key that has expired is not good again because the clock is set back", async () => {
  const jumping = jumpingClock();
  await withKeys(async ({ url }, keys) => {
    const { bearerToken } = await keys.add({ expiresAt: Date.now() + hour });
    assert.equal(await answerTo(url, bearerToken), 200);
    jumping.pass(2 * hour);
    assert.equal(await answerTo(url, bearerToken), 403);
    jumping.jump(-2 * hour);
    assert.equal(await answerTo(url, bearerToken), 403);
  }, { clock: jumping.clock });
});

async function answerTo(url: string, bearerToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${bearerToken}` };
  const response = await fetch(`${url}/readyz`, { headers });
  await response.body?.cancel();
  return response.status;
}

Deno.test("a whole gateway whose clock is nine days ahead from its start gives nothing up", async () => {
  const folder = await Deno.makeTempDir({ prefix: "batchway-clock-" });
  const catalogPath = `${folder}/catalog.kv`;
  const providers = await startSandbox();
  const options = { catalogPath, providers, env: { BATCHWAY_SWEEP_SECONDS: "0" } };
  try {
    const before = await startTestGateway(options);
    await put(before);
    const partUrl = await putPart(before);
    await before.gateway.close();
    // What no upload owns goes with the first sweep that gets so far.
    const stray = `${catalogPath}.spool/${"0".repeat(32)}`;
    await Deno.mkdir(stray);
    const { clock } = jumpingClock(undefined, 9 * 24 * hour);
    const ahead = await startTestGateway({ ...options, clock });
    await until("the uploads were swept", async () => !await isThere(stray));
    // It heard from a provider what time it is, by itself.
    assert.ok(clock.due() < Date.now() + hour);
    await ahead.gateway.close();
    const after = await startTestGateway(options);
    const { status } = await fetch(objectUrl(after), { method: "HEAD", headers: atGemini });
    assert.equal(status, 200);
    const parts = await fetch(`${after.url}${partUrl}`, { headers: atOpenai });
    assert.match(await parts.text(), /<PartNumber>1<\/PartNumber>/);
    await after.gateway.close();
  } finally {
    await providers.close();
    await Deno.remove(folder, { recursive: true });
  }
});

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Begins an upload at OpenAI and puts a part; where its parts are listed. */
async function putPart({ url }: TestGateway): Promise<string> {
  const path = "/bedrock/files/openai/parts.jsonl";
  const opened = await fetch(`${url}${path}?uploads`, { method: "POST", headers: atOpenai });
  const id = /<UploadId>(.*)<\/UploadId>/.exec(await opened.text())?.[1];
  const query = `?partNumber=1&uploadId=${id}`;
  const response = await fetch(`${url}${path}${query}`, {
    method: "PUT",
    headers: atOpenai,
    body: "{}\n",
  });
  assert.equal(await response.text(), "");
  return `${path}?uploadId=${id}&x-id=ListParts`;
}

const atOpenai = { "x-model-provider": "openai" };
const atGemini = { "x-model-provider": "gemini" };
const objectUrl = ({ url }: TestGateway) => `${url}/bedrock/files/gemini/a.jsonl`;

async function put(gateway: TestGateway): Promise<void> {
  const body = `{"key":"1","request":{"contents":[{"parts":[{"text":"a"}]}]}}\n`;
  const response = await fetch(objectUrl(gateway), { method: "PUT", headers: atGemini, body });
  assert.equal(await response.text(), "");
}
