/** One provider's turn of `batchway check --live`: a small job from its put to its results. */
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";

/** What a turn takes. */
export interface LiveTurn {
  /** The gateway's address, without a slash at the end. */
  readonly url: string;
  readonly provider: string;
  readonly model: string;
  readonly bucket: string;
  readonly role: string;
  /** How many records the job has. */
  readonly records: number;
  /** When the job is stopped that is not over by then, in milliseconds of `now`. */
  readonly waitMilliseconds: number;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborted where the user wants no more of it. */
  readonly signal: AbortSignal;
}

/** A step that was taken, or that failed. */
export interface LiveStep {
  readonly step: "put" | "create" | "run" | "results" | "delete";
  readonly ok: boolean;
  readonly detail: string;
}

/** How often the job is looked at, in milliseconds. */
const pollMilliseconds = 2_000;
/** How much of an answer stands in a report. */
const mostText = 500;
/** Results of so few records are small; more than this is not read. */
const mostResultBytes = 4 * 2 ** 20;

const folder = "batchway-live-check";
const decoder = new TextDecoder();

/** Runs a job at a provider through a gateway; the last step is the one that failed, if one did. */
export async function* runLive(turn: LiveTurn): AsyncGenerator<LiveStep> {
  const { provider, model, bucket, records, role } = turn;
  const ask = asking(turn);
  const key = `${folder}/${crypto.randomUUID()}.jsonl`;
  const made: string[] = [];
  let arn: string | undefined;
  let status: JobStatus = "Submitted";
  try {
    const put = await ask("PUT", `/bedrock/files/${bucket}/${key}`, linesOf(records));
    yield step("put", put.ok, put.ok ? `${records} records to s3://${bucket}/${key}` : put.said);
    if (!put.ok) return;
    made.push(key);
    const create = await ask(
      "POST",
      "/bedrock/model-invocation-job",
      JSON.stringify({
        jobName: "batchway-live-check",
        modelId: model,
        roleArn: role,
        clientRequestToken: crypto.randomUUID(),
        modelInvocationType: "Converse",
        inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${bucket}/${key}` } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/${folder}/` } },
      }),
    );
    arn = create.ok ? textOf(create.json, "jobArn") : undefined;
    yield step("create", arn !== undefined, arn === undefined ? create.said : `${model}: ${arn}`);
    if (arn === undefined) return;
    const end = yield* waited(turn, ask, arn, (seen) => (status = seen));
    if (!end) return;
    const id = arn.split("/").at(-1) ?? "";
    const output = `${folder}/${id}/${key.split("/").at(-1)}.out`;
    made.push(output, `${folder}/${id}/manifest.json.out`);
    const results = await ask("GET", `/bedrock/files/${bucket}/${output}`);
    const count = results.text.split("\n").filter((line) => line !== "").length;
    const answered = results.text.split('"modelOutput"').length - 1;
    const isWhole = results.ok && count === records && answered === records;
    const seen = `${answered} answers in ${count} lines of ${records}`;
    const first = results.text.split("\n", 1)[0]?.slice(0, mostText) ?? "";
    yield step(
      "results",
      isWhole,
      results.ok ? isWhole ? seen : `${seen}: ${first}` : results.said,
    );
  } finally {
    // Nothing that costs is left running, also where the user has interrupted the check.
    const last = asking({ ...turn, signal: AbortSignal.timeout(20_000) });
    if (arn !== undefined && !isTerminal(status)) await last("POST", `${jobPath(arn)}/stop`);
    const left: string[] = [];
    for (const one of made) {
      const gone = await last("DELETE", `/bedrock/files/${bucket}/${one}`);
      if (!gone.ok) left.push(`s3://${bucket}/${one} (${gone.said})`);
    }
    if (made.length > 0) {
      const detail = left.length === 0 ? `${made.length} objects of ${provider}` : left.join(", ");
      yield step("delete", left.length === 0, detail);
    }
  }
}

/** Looks at a job until it is over; whether it completed. */
async function* waited(
  { now, sleep, waitMilliseconds, signal }: LiveTurn,
  ask: Ask,
  arn: string,
  see: (status: JobStatus) => void,
): AsyncGenerator<LiveStep, boolean> {
  const startedAt = now();
  while (!signal.aborted) {
    const got = await ask("GET", jobPath(arn));
    const status = textOf(got.json, "status") as JobStatus | undefined;
    const seconds = Math.round((now() - startedAt) / 1000);
    if (!got.ok || status === undefined) {
      yield step("run", false, got.said);
      return false;
    }
    see(status);
    if (isTerminal(status)) {
      const message = textOf(got.json, "message");
      const isDone = status === "Completed";
      yield step("run", isDone, `${status} after ${seconds} s${message ? `: ${message}` : ""}`);
      return isDone;
    }
    if (now() - startedAt >= waitMilliseconds) {
      yield step("run", false, `still ${status} after ${seconds} s; it was stopped`);
      return false;
    }
    await sleep(pollMilliseconds);
  }
  yield step("run", false, "it was interrupted, and the job was stopped");
  return false;
}

type Ask = ReturnType<typeof asking>;

/** Makes what asks the gateway for one provider; what goes wrong is in the answer. */
function asking({ url, provider, signal }: Pick<LiveTurn, "url" | "provider" | "signal">) {
  return async (method: string, path: string, body?: string) => {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { "x-model-provider": provider },
        signal,
        ...(body !== undefined && { body }),
      });
      const text = await readText(response);
      const said = `${response.status} ${text.slice(0, mostText)}`;
      return { ok: response.ok, text, said, json: response.ok ? jsonOf(text) : undefined };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return { ok: false, text: "", said, json: undefined };
    }
  };
}

async function readText({ body }: Response): Promise<string> {
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > mostResultBytes) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return typeof found === "string" ? found : undefined;
}

function jobPath(arn: string): string {
  return `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
}

function linesOf(records: number): string {
  return Array.from({ length: records }, (_, n) =>
    JSON.stringify({
      recordId: `live-${n + 1}`,
      modelInput: {
        messages: [{ role: "user", content: [{ text: `What is ${n + 1} + ${n + 1}?` }] }],
        inferenceConfig: { maxTokens: 100 },
      },
    })).join("\n");
}

function step(name: LiveStep["step"], ok: boolean, detail: string): LiveStep {
  return { step: name, ok, detail };
}
