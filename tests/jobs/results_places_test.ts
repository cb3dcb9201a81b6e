/** Results that are read when jobs end take turns, and slow ones leave room for the others. */
import assert from "node:assert/strict";
import { bounds } from "../../runtime/bounds.ts";
import { createDouble, gate, providersOf } from "../double.ts";
import { counts, finish, get, start } from "./results_world.ts";
import { createJobWorld, type JobWorld } from "./world.ts";

/** A world in which as many jobs as may read slow results, and what lets them go on. */
async function hogged(world: JobWorld) {
  const slow = gate();
  let reading = 0;
  let isSlow = true;
  const all = Promise.withResolvers<void>();
  world.cloud.before = async (call) => {
    if (call !== "batches.openResults" || !isSlow) return;
    if (++reading === bounds.results) all.resolve();
    await slow.wait();
  };
  const jobs = await Promise.all(
    Array.from({ length: bounds.results }, () => start(world, ['{"id":"a"}\n'])),
  );
  const ending = jobs.map((job) => finish(world, job, { counts: counts(1) }));
  await all.promise;
  isSlow = false;
  return {
    async end() {
      slow.open();
      for (const job of await Promise.all(ending)) assert.equal(job.status, "Completed");
    },
  };
}

Deno.test("slow results of one tenant leave another tenant's jobs at the same account to end", async () => {
  using world = await createJobWorld();
  const hogs = await hogged(world);
  const other = { ...world, reach: { ...world.reach, tenant: "other" } };
  for (let n = 0; n < 3; n++) {
    const job = await start(other, ['{"id":"b"}\n']);
    assert.equal((await finish(other, job, { counts: counts(1) })).status, "Completed");
  }
  await hogs.end();
  await world.jobs.close();
});

Deno.test("slow results of one account leave the same tenant's jobs at others to end", async () => {
  const cloud = createDouble();
  const swift = createDouble({ name: "swift" });
  swift.addFile("file-in");
  cloud.addFile("file-in");
  const providers = providersOf(cloud, swift);
  using world = await createJobWorld({ cloud, providers });
  const hogs = await hogged(world);
  const other = { ...world, cloud: swift, reach: { ...world.reach, provider: swift.provider } };
  const s3Uri = "s3://swift/file-in";
  const job = await start(other, ['{"id":"b"}\n'], {
    inputDataConfig: { s3InputDataConfig: { s3Uri } },
  });
  assert.equal((await finish(other, job, { counts: counts(1) })).status, "Completed");
  await hogs.end();
  await world.jobs.close();
});

Deno.test("who asks for a job whose results have to wait is answered at once", async () => {
  using world = await createJobWorld();
  const hogs = await hogged(world);
  const waiting = await start(world, ['{"id":"c"}\n']);
  assert.equal((await finish(world, waiting, { counts: counts(1) })).status, "InProgress");
  await hogs.end();
  // There is a place again.
  while ((await get(world, waiting)).status !== "Completed") {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await world.jobs.close();
});
