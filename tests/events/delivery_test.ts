/** Events of a gateway on simulated providers, as receivers see them. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { spawnGateway, startTestGateway } from "../gateway.ts";
import { createClient, ledger, until } from "../jobs/wire.ts";
import { secret, startHook, withHooks } from "./hook.ts";

const ended = "Completed";

Deno.test("Get and the list of results agree with an event when it comes, and a bus gets it too", async () => {
  const seen: string[] = [];
  await using hook = startHook(async ({ detail }) => {
    if (detail.status !== ended) return undefined;
    const client = createClient(gateway.url);
    const { status } = await client.get(detail.batchJobArn);
    const list = await client.send("/bedrock/files/out?list-type=2");
    seen.push(`${status} ${(await list.text()).includes(".jsonl.out")}`);
    return undefined;
  });
  const configuration = JSON.stringify({
    events: {
      webhooks: [{ url: hook.url, secret }],
      eventBridge: { bus: "default", provider: "bedrock" },
    },
  });
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0.2 } });
  try {
    const client = createClient(gateway.url);
    await client.upload("inputs/a.jsonl");
    const arn = await client.create("inputs/a.jsonl", { modelId: "gpt-4o-mini" });
    await until("the job ended", async () => (await client.get(arn)).status === ended);
    await until("its event came", () => Promise.resolve(seen.length > 0));
    assert.deepEqual(seen, [`${ended} true`]);
    assert.equal(hook.taken.at(-1)?.detail.status, ended);
    assert.equal(hook.taken.at(-1)?.detail.totalRecordCount, 3);
    await until("the bus has them", async () => {
      const { holdings } = await ledger(gateway.sandbox);
      return holdings["eventbridge"]?.["events"]?.count === hook.taken.length;
    });
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.match(metrics, /^batchway_events_waiting \d+$/m);
  } finally {
    await gateway.stop();
  }
});

Deno.test("when a job's first event comes, Get, its tags and the list say the same of the job", async () => {
  const seen: Record<string, unknown>[] = [];
  await using hook = startHook(async ({ detail }, nth) => {
    if (nth > 1) return undefined;
    const client = createClient(gateway.url);
    const job = await client.get(detail.batchJobArn);
    const [listed] = await client.list();
    const tags = await client.send("/bedrock/listTagsForResource", {
      method: "POST",
      body: JSON.stringify({ resourceARN: detail.batchJobArn }),
    });
    seen.push({ ...job, listed: listed?.status, tags: (await tags.json()).tags });
    return undefined;
  });
  const gateway = await startTestGateway({
    configuration: withHooks(hook.url),
    // The provider is not asked again meanwhile, which would take the job on.
    env: { BATCHWAY_POLL_SECONDS: "600" },
  });
  try {
    const client = createClient(gateway.url);
    await client.upload("inputs/a.jsonl");
    const tags = [{ key: "team", value: "a" }];
    const more = { modelId: "gpt-4o-mini", jobName: "nightly", tags };
    const arn = await client.create("inputs/a.jsonl", more);
    await until("its event came", () => Promise.resolve(hook.taken.length > 0));
    const [first] = hook.taken;
    assert.ok(first);
    const { detail } = first;
    const [job] = seen;
    assert.deepEqual(
      [job?.["jobArn"], job?.["jobName"], job?.["modelId"], job?.["status"], job?.["listed"]],
      [arn, "nightly", "gpt-4o-mini", detail.status, detail.status],
    );
    assert.deepEqual(
      [detail.batchJobArn, detail.batchJobName, detail.batchModelId],
      [arn, "nightly", "gpt-4o-mini"],
    );
    assert.deepEqual(
      [Date.parse(detail.creationTime), Date.parse(detail.lastModifiedTime)],
      [Date.parse(`${job?.["submitTime"]}`), Date.parse(`${job?.["lastModifiedTime"]}`)],
    );
    assert.deepEqual(job?.["tags"], tags);
  } finally {
    await gateway.stop();
  }
});

Deno.test("kill -9 while events go out loses none, and leaves the order of each job", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  await using hook = startHook((_, nth) =>
    nth % 7 === 1 ? new Response(null, { status: 503 }) : undefined
  );
  await Deno.writeTextFile(`${folder.path}/batchway.jsonc`, withHooks(hook.url));
  const start = () =>
    spawnGateway({
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: folder.path,
      BATCHWAY_CONFIG: `${folder.path}/batchway.jsonc`,
      BATCHWAY_POLL_SECONDS: "0",
      BATCHWAY_SWEEP_SECONDS: "0.2",
    });
  let gateway = await start();
  try {
    const arns: string[] = [];
    for (let n = 0; n < 2; n++) {
      const client = createClient(gateway.url);
      await client.upload(`inputs/${n}.jsonl`);
      for (let m = 0; m < 2; m++) {
        arns.push(await client.create(`inputs/${n}.jsonl`, { modelId: "gpt-4o-mini" }));
      }
      await gateway.kill();
      gateway = await start();
    }
    const of = (arn: string) => hook.taken.filter(({ resources }) => resources[0] === arn);
    const last = (arn: string) => of(arn).at(-1)?.detail.status ?? "";
    const isOver = (arn: string) => ["Completed", "Failed"].includes(last(arn));
    await until("every job's end came", () => Promise.resolve(arns.every(isOver)));
    for (const arn of arns) {
      const ids = of(arn).map(({ id }) => id);
      const order = of(arn).filter(({ id }, at) => ids.indexOf(id) === at);
      const times = order.map(({ detail }) => detail.lastModifiedTime);
      assert.deepEqual(times, [...times].sort());
      assert.ok(order.length >= 2, "a change is missing");
    }
  } finally {
    await gateway.kill();
    await sandbox.close();
  }
});
