/** A job of many records at simulated providers, whose gateway is killed and followed by another. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import type { FaultRule } from "../../../sandbox/faults.ts";
import { type Sandbox, startSandbox } from "../../../sandbox/server.ts";
import { setFaults } from "../../clients/session.ts";
import { type GatewayProcess, spawnGateway, unlimited } from "../../gateway.ts";
import { passingTime } from "../passing_time.ts";
import { shardBatches } from "../../faults/shards.ts";
import { asked, ledger } from "../wire.ts";
import { converse, createClient, type SeenJob } from "./client.ts";

const program = fileURLToPath(new URL("../crashing_gateway.ts", import.meta.url));
const input = "real-inputs/in.jsonl";
const blockLines = 10_000;
/** Longer than any test. */
export const heldSeconds = 86_400;

/** A provider of the job, and its requests as its simulator records them. */
export interface LargeTarget {
  readonly provider: "openai" | "gemini";
  readonly modelId: string;
  /** Batches that run the job. */
  readonly shards: number;
  /** Batches of them that run at one time. */
  readonly running: number;
  readonly create: RegExp;
  readonly upload: RegExp;
  readonly poll: RegExp;
  readonly results: RegExp;
}

/** A job of many records, seen by its client and by its provider. */
export interface LargeJob {
  readonly id: string;
  /** Peak memory of each gateway process so far that has ended, in bytes. */
  readonly peaks: readonly number[];
  get(): Promise<SeenJob>;
  /** How often the provider was asked, by method and path. */
  calls(method: string, path: RegExp): Promise<number>;
  /** Sets a fault. */
  fault(rule: FaultRule): Promise<void>;
  /** Ends the batches that run, at the provider. */
  finish(): Promise<void>;
  /** Kills the gateway once this is so, and starts the next one with no fault left. */
  killOnce(what: string, isSo: () => Promise<boolean>): Promise<void>;
  /** Whether a request is under way that a fault holds. */
  isHeld(path: RegExp): Promise<boolean>;
  /** Whether the gateway has kept records of a shard. */
  hasCut(): Promise<boolean>;
  /** The usage that the gateway shows. */
  usage(): Promise<readonly Record<string, unknown>[]>;
  /** Reads the results; throws where a record is missing, repeated or out of order. */
  checkResults(records: number): Promise<void>;
  batches(): ReturnType<typeof shardBatches>;
}

/** Runs a test on a job of so many records. */
export async function withLargeJob(
  target: LargeTarget,
  records: number,
  work: (job: LargeJob) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-large-" });
  const time = await passingTime(folder);
  const sandbox = await startSandbox(
    { batchSeconds: 80_000, folder: `${folder}/sandbox` },
    { now: time.now },
  );
  const { provider, modelId, shards, running } = target;
  const config = `${folder}/batchway.jsonc`;
  const batchLimits = { records: Math.ceil(records / shards), running };
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      buckets: { "real-*": { provider: "bedrock" } },
      providers: { [provider]: { kind: provider, batchLimits } },
    }),
  );
  const environment = {
    ...sandboxEnvironment(sandbox),
    BATCHWAY_CONFIG: config,
    BATCHWAY_DATA: `${folder}/data`,
    BATCHWAY_LOG: "json",
    PASSED_IN: time.file,
    BATCHWAY_POLL_SECONDS: "0",
    // What is asked of providers is what polls ask.
    BATCHWAY_SWEEP_SECONDS: "86400",
  };
  const spawn = () => spawnGateway(environment, unlimited(program));
  let gateway: GatewayProcess | undefined = await spawn();
  const peaks: number[] = [];
  const end = async () => {
    if (!gateway) return;
    peaks.push(peakOf(gateway.pid));
    await gateway.kill();
    gateway = undefined;
  };
  const url = () => gateway?.url ?? "";
  try {
    await putInput(url(), records);
    // The create asks twice, for its ETag and its first record; the reading of the whole input is held.
    const reading = { provider: "s3", method: "GET", path: "in\\.jsonl$", passes: 2 } as const;
    await setFaults(sandbox, { ...reading, latencySeconds: heldSeconds });
    const id = await createClient(url()).create(provider, modelId, `s3://${input}`);
    await work({
      id,
      peaks,
      get: () => createClient(url()).get(provider, id),
      calls: (method, path) => asked(sandbox, method, path),
      fault: (rule) => setFaults(sandbox, rule),
      finish: () => finish(sandbox),
      async killOnce(what, isSo) {
        await eventually(what, isSo);
        await end();
        await setFaults(sandbox);
        await time.pass();
        gateway = await spawn();
      },
      async isHeld(path) {
        const { requests } = await ledger(sandbox);
        return requests.some((one) => one.status === null && path.test(one.path));
      },
      async hasCut() {
        const files = await namesIn(`${folder}/data/objects`);
        return files.some((name) => name.includes(id) && name.includes("shard-"));
      },
      usage: async () => (await (await fetch(`${url()}/usage?by=provider`)).json()).rows,
      checkResults: (records) =>
        checkResults(`${url()}/bedrock/files/results/out/${id}`, provider, records),
      batches: () => shardBatches(sandbox),
    });
    await end();
  } catch (cause) {
    throw new Error(`The gateway's log:\n${gateway?.log()}`, { cause });
  } finally {
    await end();
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Asks until it is so, for ten minutes at most. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 12_000; n++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`In ten minutes it did not happen: ${what}`);
}

/** Puts an input of so many records into the bucket. */
async function putInput(url: string, records: number): Promise<void> {
  const blocks: string[] = [];
  for (let first = 0; first < records; first += blockLines) {
    const size = Math.min(blockLines, records - first);
    const lines = Array.from({ length: size }, (_, at) => {
      const id = `r-${first + at}`;
      return `${converse(id, `What is ${id}?`)}\n`;
    });
    blocks.push(lines.join(""));
  }
  const response = await fetch(`${url}/bedrock/files/${input}`, {
    method: "PUT",
    headers: { "x-model-provider": "bedrock" },
    body: new Blob(blocks),
  });
  assert.equal(response.status, 200, await response.text());
}

/** Ends the batches that run, and lets the simulators write their results before anything is asked. */
async function finish(sandbox: Sandbox): Promise<void> {
  const response = await fetch(`${sandbox.controlUrl}/finish`, { method: "POST" });
  await response.body?.cancel();
  await shardBatches(sandbox);
}

async function checkResults(url: string, provider: string, records: number): Promise<void> {
  const response = await fetch(`${url}/in.jsonl.out`, {
    headers: { "x-model-provider": provider },
  });
  assert.equal(response.status, 200);
  let count = 0;
  let rest = "";
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const isRight = line.startsWith(`{"recordId":"r-${count}","modelInput":`) &&
        line.includes(`"modelOutput":{`);
      if (!isRight) assert.fail(`line ${count + 1} of the results is ${line.slice(0, 500)}`);
      count++;
    }
  }
  assert.equal(rest, "");
  assert.equal(count, records);
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) names.push(...await namesIn(path));
      else names.push(path);
    }
  } catch (error) {
    // A folder of a draft may go meanwhile.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

/** The most memory that a process had, in bytes; 0 where the system does not say. */
function peakOf(pid: number): number {
  if (Deno.build.os !== "linux") return 0;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
