/** `batchway check --live`: the whole life of a small job at each configured provider. */
import { configuredNames } from "../codecs/configured_names.ts";
import { UsageError } from "../config/arguments.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { startGateway } from "../gateway.ts";
import { createLog } from "../log.ts";
import { print } from "../program.ts";
import { cheapModels } from "../providers/settings.ts";
import { denoVersion, version } from "../runtime/version.ts";
import type { Finding } from "./check_provider.ts";
import { type LiveStep, runLive } from "./live_run.ts";

/** Options of a live check, as they stand on the command line. */
export interface LiveOptions {
  readonly yes: boolean;
  readonly json: boolean;
  /** `name=model,name=model` */
  readonly model: string | undefined;
  readonly only: string | undefined;
  /** Minutes. */
  readonly wait: string;
  readonly bucket: string | undefined;
  readonly role: string | undefined;
}

/** Bedrock refuses jobs of fewer records (AWS's quotas, 2026). */
const bedrockRecords = 100;
const fewRecords = 3;
/** A bucket that needs not be created at a storing provider. */
const anyBucket = "live-check";

/** A provider whose turn it is, or the reason why it has none. */
interface Candidate {
  readonly provider: string;
  readonly isForwarded: boolean;
  readonly model: string | undefined;
  readonly missing?: string;
}

/** Runs a job at each provider, and yields what was found. Throws {@linkcode UsageError}. */
export async function* liveFindings(
  environment: Readonly<Record<string, string>>,
  options: LiveOptions,
): AsyncGenerator<Finding> {
  const waitMilliseconds = minutes(options.wait);
  const config = await loadConfig(environment);
  const candidates = candidatesOf(config, options);
  await agree(candidates, options);
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  Deno.addSignalListener("SIGINT", stop);
  const folder = `${config.data}/live-check`;
  await Deno.mkdir(folder, { recursive: true });
  const gateway = await startGateway(ownConfig(config, folder), {
    // What goes wrong is in the answers.
    log: createLog({ format: "json", now: () => new Date(), write: () => {} }),
    env: (name) => environment[name],
  });
  try {
    for (const { provider, isForwarded, model = "", missing } of candidates) {
      if (missing !== undefined) {
        yield { what: `live ${provider}`, ok: false, detail: missing };
        continue;
      }
      if (interrupted.signal.aborted) return;
      const steps = runLive({
        url: gateway.url,
        provider,
        model,
        bucket: options.bucket ?? anyBucket,
        role: options.role ?? "arn:aws:iam::000000000000:role/live-check",
        records: isForwarded ? bedrockRecords : fewRecords,
        waitMilliseconds,
        now: () => performance.now(),
        sleep: (time) => new Promise((done) => setTimeout(done, time)),
        signal: interrupted.signal,
      });
      for await (const one of steps) yield findingOf(provider, one);
    }
  } finally {
    Deno.removeSignalListener("SIGINT", stop);
    await gateway.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns what to send to the project of a live check, whether it went well or not. */
export function reportHint(findings: readonly Finding[]): string {
  const failed = findings.filter(({ ok, what }) => !ok && what.startsWith("live "));
  const heading = `batchway ${version}, deno ${denoVersion}`;
  if (failed.length === 0) {
    return `Please report that it works: ${heading}, the providers and the models`;
  }
  return `Please report: ${heading}, the lines of ${
    [...new Set(failed.map(({ what }) => what))].join(", ")
  } above, and what your provider's console shows of the batch. Leave out keys`;
}

function findingOf(provider: string, { step, ok, detail }: LiveStep): Finding {
  return { what: `live ${provider} ${step}`, ok, detail };
}

/** A gateway for this machine only, which keeps nothing. */
function ownConfig(
  { s3Port: _s3, adminPort: _admin, tls: _tls, firstKey: _key, events: _events, ...config }: Config,
  data: string,
): Config {
  return { ...config, host: "127.0.0.1", port: 0, data, catalog: "file", pollMilliseconds: 1_000 };
}

function candidatesOf(config: Config, { model, only, bucket, role }: LiveOptions): Candidate[] {
  const models = new Map(
    (model ?? "").split(",").filter((one) => one !== "").map((one) => {
      const [, provider = "", id = ""] = /^([^=]+)=(.+)$/.exec(one) ?? [];
      if (provider === "") {
        throw new UsageError(`--model must be such as NAME=ID,NAME=ID, and not '${one}'`);
      }
      return [provider, id] as const;
    }),
  );
  const known = config.providers.map(({ name }) => name);
  if (known.length === 0) throw new UsageError(configuredNames(known));
  const wanted = only?.split(",") ?? known;
  for (const name of [...models.keys(), ...wanted]) {
    if (known.includes(name)) continue;
    throw new UsageError(`There is no provider ${name}; configured are ${known.join(", ")}`);
  }
  return config.providers.filter(({ name }) => wanted.includes(name)).map(({ name, kind }) => {
    const isForwarded = kind === "bedrock";
    // A service with a kind's API has models of its own.
    const id = models.get(name) ?? (name === kind ? cheapModels[kind] : undefined);
    const one = { provider: name, isForwarded, model: id };
    if (id === undefined) return { ...one, missing: `not tried: name a model, --model ${name}=ID` };
    if (!isForwarded || bucket !== undefined && role !== undefined) return one;
    const need = "--bucket BUCKET and --role ARN (a role that may read and write it)";
    return { ...one, missing: `not tried: give ${need}, or leave it out by --only` };
  });
}

/** Says what will be sent and asks whether to go on. Throws where there is no terminal to ask at. */
async function agree(candidates: readonly Candidate[], { yes, json }: LiveOptions): Promise<void> {
  const jobs = candidates.filter(({ missing }) => missing === undefined)
    .map(({ provider, model, isForwarded }) =>
      `${provider} (${model}, ${isForwarded ? bedrockRecords : fewRecords} records)`
    );
  if (!json) {
    print(
      `This starts a paid batch job of some 30 tokens a record, a few cents at the most, at ${
        jobs.length === 0 ? "no provider" : jobs.join(", ")
      }. It can take as long as the providers take for a batch; an interrupt stops the job`,
    );
  }
  if (yes || jobs.length === 0) return;
  if (!Deno.stdin.isTerminal()) throw new UsageError("--live costs money: say --yes to it");
  if (!await Promise.resolve(confirm("Go on?"))) throw new Error("Nothing was sent");
}

function minutes(text: string): number {
  if (/^[0-9]{1,4}(\.[0-9]+)?$/.test(text) && Number(text) > 0) return Number(text) * 60_000;
  throw new UsageError("--wait must be a number of minutes, such as 30");
}
