/** Clients at work while gateways are killed and providers fail, and the ledger at the end. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { setFaults } from "../clients/session.ts";
import { createBackups } from "./backups.ts";
import { letThingsGoWrong } from "./chaos.ts";
import { createInsistent } from "./client.ts";
import { startGateways } from "./gateways.ts";
import type { Patience } from "./impatient_gateway.ts";
import { checkObjects, settle } from "./ledger.ts";
import { createModel } from "./model.ts";
import { createRandom } from "./random.ts";
import { checkResults } from "./results.ts";
import { createTurnstile } from "./turnstile.ts";
import { doSomething } from "./work.ts";

const numberOf = (name: string, otherwise: number) => Number(Deno.env.get(name) ?? otherwise);

/** What decides everything but the order in which things happen to meet. */
const seed = numberOf("FAULTS_SEED", 20_261_127);
/** Things that clients do. */
const operations = numberOf("FAULTS_OPERATIONS", 300);
/** Clients at the same time. */
const workers = numberOf("FAULTS_WORKERS", 12);
/** Gateways killed with kill -9; once these are over, some are restarted with SIGTERM. */
const kills = numberOf("FAULTS_KILLS", 4);
/** Backups that are taken and brought back, at even distances. */
const restores = numberOf("FAULTS_RESTORES", 1);
/** The mean time between two mishaps, in milliseconds. */
const pace = numberOf("FAULTS_PACE", 200);

/** Short, so that the run is; a dead gateway's create is taken over after its lease and the longest create. */
const patience: Patience = {
  leaseMilliseconds: 2_000,
  longestCreateMilliseconds: 3_000,
  providerTimeouts: { callMilliseconds: 2_000, replyMilliseconds: 4_000, idleMilliseconds: 3_000 },
};

Deno.test(`kills, restarts and failing providers lose nothing, double nothing and leave nothing (seed ${seed})`, async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 2 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: `${folder.path}/data`,
    BATCHWAY_POLL_SECONDS: "0",
    BATCHWAY_SWEEP_SECONDS: "0.5",
    BATCHWAY_LOG: "json",
  };
  const gateways = await startGateways(environment, patience);
  try {
    const model = createModel();
    const random = createRandom(seed);
    const clients = createTurnstile();
    let labels = 0;
    let begun = 0;
    const worker = async (own: ReturnType<typeof createRandom>) => {
      const ask = createInsistent(gateways, model, own.fork());
      const tools = { ask, model, random: own, label: () => `n${labels++}x` };
      while (begun++ < operations) await clients.pass(() => doSomething(tools));
    };
    const backups = createBackups({
      gateways,
      sandbox,
      model,
      random: random.fork(),
      clients,
      environment,
      folder: folder.path,
    });
    // One is taken in the first third of its share of the run, and brought back in the last.
    let steps = 0;
    const backUp = async () => {
      const share = operations / restores;
      const due = Math.floor(steps / 2) * share + (steps % 2 === 0 ? 0.3 : 0.7) * share;
      if (steps === 2 * restores || begun < due) return;
      await (steps++ % 2 === 0 ? backups.take() : backups.bringBack());
    };
    let working = true;
    const chaos = { gateways, sandbox, model, random: random.fork(), kills, pace, backUp };
    const work = Promise.all(Array.from({ length: workers }, () => worker(random.fork())))
      .finally(() => (working = false));
    await Promise.all([work, letThingsGoWrong(chaos, () => !working)]);
    while (steps < 2 * restores) {
      begun = Infinity;
      await backUp();
    }
    await setFaults(sandbox);
    const url = gateways.url(0) ?? "";
    const wrong = [...model.violations, ...await settle(url, sandbox, model, 60)];
    wrong.push(...await checkObjects(url, model));
    wrong.push(...await checkResults(url, model));
    assert.equal(wrong.length, 0, wrong.join("\n"));
    assert.deepEqual(await gateways.stop(), [0, 0]);
    const holes = gateways.log().filter((line) =>
      /left rejected|escaped","error":"(?!unavailable)/.test(line)
    );
    assert.equal(holes.length, 0, holes.join("\n"));
    if (Deno.env.has("FAULTS_REPORT")) {
      await Deno.writeTextFile(
        Deno.env.get("FAULTS_REPORT") ?? "",
        JSON.stringify(Object.fromEntries([...model.counts].sort()), undefined, 2),
      );
    }
  } finally {
    await gateways.kill();
    await sandbox.close();
  }
});
