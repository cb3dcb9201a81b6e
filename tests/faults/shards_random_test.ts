/** Split, retried and fallback jobs while gateways are killed, moved to an export, and providers fail. */
import assert from "node:assert/strict";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { setFaults } from "../clients/session.ts";
import { converse } from "../jobs/sharded/client.ts";
import { runCatalog } from "./backups.ts";
import { letThingsGoWrong } from "./chaos.ts";
import { createInsistent, type Insistent } from "./client.ts";
import { type Gateways, startGateways } from "./gateways.ts";
import { filesOf } from "./ledger.ts";
import { createModel, type Model, providers } from "./model.ts";
import { createRandom, type Random } from "./random.ts";
import { checkSplitJob, compareShards, shardBatches, type SplitJob } from "./shards.ts";
import { createTurnstile, type Turnstile } from "./turnstile.ts";

const numberOf = (name: string, otherwise: number) => Number(Deno.env.get(name) ?? otherwise);

const seed = numberOf("FAULTS_SEED", 20_261_130);
/** Jobs that clients make. */
const jobs = numberOf("FAULTS_SPLIT_JOBS", 12);
/** Clients at the same time. */
const workers = 4;
/** How long jobs may take once nothing goes wrong any more, in seconds. */
const settleSeconds = 90;

const patience = {
  leaseMilliseconds: 2_000,
  longestCreateMilliseconds: 3_000,
  providerTimeouts: { callMilliseconds: 2_000, replyMilliseconds: 4_000, idleMilliseconds: 3_000 },
};

/** Both providers take fewer records than a job has. */
const configuration = JSON.stringify({
  providers: {
    openai: { kind: "openai", batchLimits: { records: 3 } },
    gemini: { kind: "gemini", batchLimits: { records: 2 } },
  },
});

/** A record's text, and whether a failure of it passes; absent where it has an answer. */
const kinds = [
  { text: "hello" },
  { text: "hello again" },
  { text: "fail 503", passes: true },
  { text: "fail 400", passes: false },
] as const;

/** Makes a job at random; what it must come to. */
async function makeJob(ask: Insistent, random: Random, n: number): Promise<SplitJob> {
  const inputName = `in-${n}.jsonl`;
  const retries = random.below(3);
  const fallsBack = random.chance(0.5);
  const isDown = random.chance(0.3);
  const records = Array.from({ length: 1 + random.below(7) }, (_, at) => {
    const kind = isDown ? kinds[0] : random.pick(kinds);
    const fails = "passes" in kind;
    const tries = fails && kind.passes ? retries + 1 : 1;
    const runs = tries + (fallsBack && (fails || isDown) ? 1 : 0);
    return { id: `r-${at}`, text: kind.text, runs, isAnswered: !fails && (!isDown || fallsBack) };
  });
  const body = records.map(({ id, text }) => converse(id, text)).join("\n");
  const put = await ask(
    "put",
    "openai",
    (client, signal) => client.put(`portable/${inputName}`, body, signal),
  );
  assert.equal(put?.status, 200, `${put?.text}`);
  const tags = [
    { key: "batchway:dialect", value: "bedrock-converse" },
    { key: "batchway:retries", value: `${retries}` },
    ...fallsBack ? [{ key: "batchway:fallback", value: "gemini/gemini-2.5-flash" }] : [],
  ];
  const name = `split-${n}`;
  const modelId = isDown ? "fail-always" : "gpt-4o-mini";
  const more = { jobName: name, clientRequestToken: name, modelId, tags };
  const made = await ask(
    "create",
    "openai",
    (client, signal) => client.createRaw(`portable/${inputName}`, more, signal),
  );
  assert.equal(made?.status, 200, `${made?.text}`);
  const arn: string = JSON.parse(made?.text ?? "{}").jobArn;
  const isStopped = random.chance(0.3);
  if (isStopped) {
    await new Promise((resolve) => setTimeout(resolve, random.below(900)));
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}/stop`;
    const stopped = await ask(
      "stop",
      "openai",
      (client, signal) => client.send(path, { method: "POST", signal }),
    );
    // It may be over by then.
    assert.ok([200, 400].includes(stopped?.status ?? 0), stopped?.text ?? "");
  }
  return {
    isStopped,
    id: arn.slice(-12),
    arn,
    inputName,
    runs: new Map(records.map(({ id, runs }) => [id, runs])),
    success: records.filter(({ isAnswered }) => isAnswered).length,
  };
}

/** A run whose catalog is set back to an export. */
interface Running {
  readonly gateways: Gateways;
  readonly sandbox: Sandbox;
  readonly model: Model;
  readonly clients: Turnstile;
  readonly environment: Readonly<Record<string, string>>;
  readonly file: string;
}

/**
 * Exports the catalog while no client has a request under way, lets the gateways go on with the jobs,
 * and sets them back to the export: it does not know of the batches that were made since.
 */
async function setBack(
  { gateways, sandbox, model, clients, environment, file }: Running,
): Promise<void> {
  const open = await clients.close();
  await setFaults(sandbox);
  model.violations.push(...await runCatalog(environment, ["export", file]));
  await new Promise((resolve) => setTimeout(resolve, 400));
  await gateways.down("kill");
  // What was uploaded since is no file that the export knows.
  for (const provider of providers) {
    for (const id of await filesOf(provider, sandbox)) model.mayBeLeft.add(id);
  }
  model.violations.push(...await runCatalog(environment, ["import", file, "--force"]));
  await gateways.up();
  open();
}

Deno.test(`split, retried and fallback jobs balance, whatever is killed and fails (seed ${seed})`, async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/batchway.jsonc`, configuration);
  const sandbox = await startSandbox({ batchSeconds: 0.5 });
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: `${folder.path}/batchway.jsonc`,
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
    const made: SplitJob[] = [];
    let begun = 0;
    const worker = async (own: Random) => {
      const ask = createInsistent(gateways, model, own.fork());
      const one = async () => {
        if (begun < jobs) made.push(await makeJob(ask, own, begun++));
      };
      while (begun < jobs) await clients.pass(one);
    };
    let working = true;
    const running = { gateways, sandbox, model, clients, environment };
    let isSetBack = false;
    const backUp = async () => {
      if (isSetBack || made.length < jobs / 2) return;
      isSetBack = true;
      await setBack({ ...running, file: `${folder.path}/export` });
    };
    const chaos = { gateways, sandbox, model, random: random.fork(), kills: 2, pace: 200, backUp };
    const work = Promise.all(Array.from({ length: workers }, () => worker(random.fork())))
      .finally(() => (working = false));
    await Promise.all([work, letThingsGoWrong(chaos, () => !working)]);
    await backUp();
    await setFaults(sandbox);
    const url = gateways.url(0) ?? "";
    const look = async () => {
      const wrong = compareShards(made, await shardBatches(sandbox));
      for (const job of made) wrong.push(...await checkSplitJob(url, job));
      for (const provider of providers) {
        const all = await filesOf(provider, sandbox);
        const left = all.filter((id) => !model.mayBeLeft.has(id));
        if (left.length > 0) wrong.push(`${provider} still has the shards' files ${left}`);
      }
      return wrong;
    };
    let wrong = await look();
    for (let tries = 0; wrong.length > 0 && tries < settleSeconds; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      wrong = await look();
    }
    wrong.push(...model.violations);
    assert.equal(wrong.length, 0, wrong.join("\n"));
    assert.equal(made.length, jobs);
    assert.deepEqual(await gateways.stop(), [0, 0]);
  } finally {
    await gateways.kill();
    await sandbox.close();
  }
});
