/** Usage, quotas and events of three tenants while gateways are killed and providers fail. */
import assert from "node:assert/strict";
import { isTerminal } from "../../codecs/job_status.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { setFaults } from "../clients/session.ts";
import { secret, startHook } from "../events/hook.ts";
import {
  checkBatches,
  checkEvents,
  checkQuotas,
  checkUsage,
  price,
  seeJobs,
  watchQuotas,
} from "./accounts.ts";
import { runCatalog } from "./backups.ts";
import { letThingsGoWrong } from "./chaos.ts";
import { createInsistent } from "./client.ts";
import { startGateways } from "./gateways.ts";
import { count, createModel } from "./model.ts";
import { makePaidJob, type PaidJob } from "./paid_jobs.ts";
import { createRandom, type Random } from "./random.ts";
import { spendings } from "./spending.ts";
import { issueKeys, keyEnvironment } from "./tenants.ts";
import { createTurnstile } from "./turnstile.ts";

const numberOf = (name: string, otherwise: number) => Number(Deno.env.get(name) ?? otherwise);

const seed = numberOf("FAULTS_SEED", 20_261_201);
/** Jobs that clients ask for. */
const jobs = numberOf("FAULTS_JOBS", 48);
/** Clients at the same time. */
const workers = numberOf("FAULTS_WORKERS", 6);
/** Gateways killed with kill -9; once these are over, some are restarted with SIGTERM. */
const kills = numberOf("FAULTS_KILLS", 3);
/** The mean time between two mishaps, in milliseconds; every second one ends a gateway. */
const pace = numberOf("FAULTS_PACE", 300);
/** How long jobs and events may take once nothing goes wrong any more, in seconds. */
const settleSeconds = 120;

const patience = {
  leaseMilliseconds: 2_000,
  longestCreateMilliseconds: 3_000,
  providerTimeouts: { callMilliseconds: 2_000, replyMilliseconds: 4_000, idleMilliseconds: 3_000 },
};

/** A key has a sixth of the jobs; about half of them are more than its limit has room for. */
const limits = {
  "team-a": { maxJobs: Math.ceil(jobs / 12) },
  "team-b": { maxRecords: Math.ceil(jobs / 12 * 3) },
  "team-c": { maxCost: jobs / 12 * 3 * 0.0003 },
};

const configuration = (hook: string) =>
  JSON.stringify({
    providers: {
      openai: { kind: "openai", batchLimits: { records: 4 } },
      gemini: { kind: "gemini", batchLimits: { records: 3 } },
    },
    prices: { "*": price },
    events: { webhooks: [{ url: hook, secret }] },
  });

Deno.test(`usage is the simulators' to the token, no event is lost and no quota passed, whatever is killed (seed ${seed})`, async () => {
  await using folder = await temporaryFolder();
  const random = createRandom(seed);
  const lazy = random.fork();
  // One try in ten is refused, or answered so late that a gateway may die meanwhile.
  await using hook = startHook(async () => {
    if (lazy.chance(0.1)) return new Response(null, { status: 503 });
    if (lazy.chance(0.1)) await new Promise((resolve) => setTimeout(resolve, lazy.below(1_000)));
    return undefined;
  });
  await Deno.mkdir(`${folder.path}/data`);
  await Deno.writeTextFile(`${folder.path}/batchway.jsonc`, configuration(hook.url));
  const catalogPath = `${folder.path}/data/catalog.kv`;
  const keys = await issueKeys(catalogPath, limits);
  const sandbox = await startSandbox({ batchSeconds: 0.7 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    ...keyEnvironment,
    BATCHWAY_CONFIG: `${folder.path}/batchway.jsonc`,
    BATCHWAY_DATA: `${folder.path}/data`,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.5",
    BATCHWAY_LOG: "json",
  };
  const gateways = await startGateways(environment, patience);
  const watch = watchQuotas(catalogPath, keys);
  try {
    watch.start();
    const model = createModel();
    const clients = createTurnstile();
    const made: PaidJob[] = [];
    let begun = 0;
    const worker = async (own: Random) => {
      const asks = new Map(keys.map((key) => [
        key,
        createInsistent(gateways, model, own.fork(), key.fetcher),
      ]));
      while (begun < jobs) {
        const name = `job-${begun++}`;
        await clients.pass(async () => {
          const key = own.pick(keys);
          const ask = asks.get(key);
          const job = ask && await makePaidJob({ ask, key, model, random: own, name });
          if (job) made.push(job);
        });
      }
    };
    let restoredAt: number | undefined;
    /** Takes a backup while no client creates, lets jobs end, and brings it back. */
    const backUp = async () => {
      if (restoredAt !== undefined || begun < jobs / 2) return;
      restoredAt = 0;
      const open = await clients.close();
      await setFaults(sandbox);
      const file = `${folder.path}/backup`;
      model.violations.push(...await runCatalog(environment, ["export", file]));
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await gateways.down("kill");
      await watch.stop();
      restoredAt = Date.now();
      model.violations.push(...await runCatalog(environment, ["import", file, "--force"]));
      await gateways.up();
      watch.start();
      count(model, "backup: brought back");
      open();
    };
    let working = true;
    const chaos = { gateways, sandbox, model, random: random.fork(), kills, pace, backUp };
    const work = Promise.all(Array.from({ length: workers }, () => worker(random.fork())))
      .finally(() => (working = false));
    await Promise.all([work, letThingsGoWrong(chaos, () => !working)]);
    await setFaults(sandbox);
    const url = gateways.url(0) ?? "";
    const look = async () => {
      const seen = await seeJobs(url, made);
      const running = seen.filter(({ seen: { status } }) => !isTerminal(status as never));
      if (running.length > 0) return [`${running.length} jobs run`];
      const spent = await spendings(sandbox);
      return [
        ...checkBatches(made, spent),
        ...await checkUsage(url, made, spent),
        ...await checkQuotas(catalogPath, keys, seen, spent),
        ...await checkEvents(catalogPath, seen, hook.taken, restoredAt ?? 0),
      ];
    };
    let wrong = await look();
    for (let tries = 0; wrong.length > 0 && tries < settleSeconds; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      wrong = await look();
    }
    wrong.push(...model.violations, ...watch.violations);
    if (Deno.env.has("FAULTS_LOG")) {
      await Deno.writeTextFile(Deno.env.get("FAULTS_LOG") ?? "", gateways.log().join("\n"));
    }
    const when = `the backup came back at ${new Date(restoredAt ?? 0).toISOString()}`;
    assert.equal(wrong.length, 0, [...wrong, when].join("\n"));
    for (const limit of ["maxJobs", "maxRecords", "maxCost"]) {
      assert.ok((model.counts.get(`create: refused, ${limit}`) ?? 0) > 0, `${limit} refused none`);
    }
    assert.deepEqual(await gateways.stop(), [0, 0]);
    if (Deno.env.has("FAULTS_REPORT")) {
      const spent = await spendings(sandbox);
      const report = {
        ...Object.fromEntries([...model.counts].sort()),
        batches: spent.length,
        tokens: spent.reduce((n, one) => n + one.inputTokens + one.outputTokens, 0),
        "events taken": hook.taken.length,
        "events sent": hook.all.length,
        "looks at quotas": watch.looks(),
      };
      await Deno.writeTextFile(
        Deno.env.get("FAULTS_REPORT") ?? "",
        JSON.stringify(report, undefined, 2),
      );
    }
  } finally {
    await watch.stop();
    await gateways.kill();
    await sandbox.close();
  }
});
