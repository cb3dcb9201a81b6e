/**
 * Anthropic's Message Batches. They take their requests inline, in one HTTP body, and its files
 * cannot be the input of a batch: so there are no files here, and batches that others made can be
 * seen and stopped.
 */
import { Failure } from "../codecs/failure.ts";
import { type BatchId, batchId, fileId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import { createHealth } from "./account_health.ts";
import { type ErrorWording, unexpectedReply } from "./failures.ts";
import { createHttp, type Http } from "./http.ts";
import { count, idText, type JsonObject, object, text, time } from "./json.ts";
import { limitsOf } from "./limits.ts";
import { requestsOf } from "./inline_requests.ts";
import { readPage } from "./pages.ts";
import type {
  Account,
  Batch,
  BatchesPort,
  Envelope,
  NewInlineBatch,
  Page,
  RecordResult,
  StoringProvider,
} from "./provider.ts";
import { createReading } from "./reading.ts";
import {
  type AccountSettings,
  defaultBaseUrls,
  type ProviderDeps,
  type ProviderSettings,
} from "./settings.ts";
import { cancelCall, stopBatch } from "./stop.ts";

/** Version 2026-10-21 refuses every sampling parameter in a batch's requests. */
const version = "2023-06-01";

/** Up to 1,000 are allowed. */
const pageSize = 100;

const idShape = /^msgbatch_[A-Za-z0-9_-]{1,200}$/;

const wording: ErrorWording = {
  deniedAdvice: "Check its API key, and that the key's workspace may use message batches.",
  read(body) {
    const error = object(object(body)?.["error"]);
    if (error === undefined) return undefined;
    const code = text(object(error["details"])?.["error_code"]);
    const codes = [code, text(error["type"])].filter((one) => one !== undefined);
    return { codes, reason: text(error["message"]) };
  },
  codes: {
    enforced_spend_limit_reached: "no-credit",
    organization_on_hold: "denied",
    billing_error: "no-credit",
    overloaded_error: "unavailable",
  },
};

/** Makes a provider of kind `anthropic`. */
export function createAnthropic(settings: ProviderSettings, deps: ProviderDeps): StoringProvider {
  const baseUrl = (settings.baseUrl ?? defaultBaseUrls.anthropic).replace(/\/+$/, "");
  const account = (own: AccountSettings): Account => {
    const { name, weight, secrets = [own.apiKey] } = own;
    const health = createHealth(settings.name, name, { ...deps, apiKey: () => own.apiKey });
    const http = createHttp({
      provider: settings.name,
      baseUrl,
      headers: () => ({ "x-api-key": own.apiKey, "anthropic-version": version }),
      secrets,
      wording,
      health,
    }, deps);
    return { name, weight, batches: createBatches(settings.name, http, deps), health };
  };
  return {
    name: settings.name,
    accounts: settings.accounts.map(account),
    target: {
      kind: "anthropic",
      dialects: ["anthropic"],
      // Read again: they may change while the gateway runs.
      get limits() {
        return limitsOf("anthropic", settings.batchLimits);
      },
    },
  };
}

/** How long results can be read, from a batch's creation on (Anthropic's guide, November 2026). */
const resultDays = 29;
const dayMilliseconds = 24 * 60 * 60 * 1000;

/** The outcome of a record, by the type of its result. */
const outcomes: Readonly<Record<string, RecordResult["outcome"]>> = {
  succeeded: "success",
  errored: "error",
  canceled: "unrun",
  expired: "unrun",
};

const envelope: Envelope = {
  name: "anthropic",
  uniqueIds: true,
  idOf: (record) => text(record["custom_id"]),
  result(line) {
    const result = object(line["result"]);
    const usage = object(object(result?.["message"])?.["usage"]);
    const type = text(result?.["type"]) ?? "";
    const input = count(usage?.["input_tokens"]);
    const cached = count(usage?.["cache_read_input_tokens"]);
    const written = count(usage?.["cache_creation_input_tokens"]);
    return {
      id: text(line["custom_id"]),
      outcome: Object.hasOwn(outcomes, type) ? outcomes[type] ?? "error" : "error",
      // What came from a cache, or went to one, is beside the input.
      inputTokens: input === undefined ? undefined : input + (cached ?? 0) + (written ?? 0),
      cachedInputTokens: cached,
      outputTokens: count(usage?.["output_tokens"]),
    };
  },
};

function createBatches(provider: string, http: Http, deps: ProviderDeps): BatchesPort {
  const path = (id: BatchId) => `/v1/messages/batches/${encodeURIComponent(id)}`;
  const subject = (id: BatchId) => `batch ${id}`;

  // The URL that a batch names is not asked: a key is sent only to the configured host.
  const reading = createReading({
    provider,
    deps,
    download: (batch, headers, signal) =>
      http.open({
        method: "GET",
        path: `${path(batchId(batch))}/results`,
        subject: `results of ${subject(batchId(batch))}`,
        headers,
      }, signal),
  });

  async function createInline({ bytes, body }: NewInlineBatch, signal: AbortSignal) {
    const reply = await http.upload({
      method: "POST",
      path: "/v1/messages/batches",
      subject: "the model",
      headers: { "content-type": "application/json" },
      ...requestsOf(bytes, body),
    }, signal);
    const batch = readBatch(object(reply.body) ?? {});
    if (batch === undefined) throw unexpectedReply(provider, 200, false);
    return batch;
  }

  async function get(id: BatchId, signal: AbortSignal): Promise<Batch> {
    const call = { method: "GET", path: path(id), subject: subject(id) } as const;
    const batch = readBatch(object(await http.json(call, signal)) ?? {});
    if (batch === undefined) throw unexpectedReply(provider, 200, true);
    return batch;
  }

  async function list(cursor: string | undefined, signal: AbortSignal): Promise<Page<Batch>> {
    const after = cursor === undefined ? "" : `&after_id=${encodeURIComponent(cursor)}`;
    const path = `/v1/messages/batches?limit=${pageSize}${after}`;
    const reply = await http.json({ method: "GET", path }, signal);
    return readPage(provider, reply, cursor, readBatch);
  }

  return {
    envelope,
    newestFirst: true,
    parseId: (name) => idShape.test(name) ? batchId(name) : undefined,
    create: () =>
      Promise.reject(
        new Failure(
          "invalid",
          `Provider ${provider} takes the requests of a batch inline and none from a file, so a ` +
            "job cannot be started on it from an object. Start the batch with Anthropic's own API " +
            "(it can be listed, watched and stopped here), or send the job to another provider.",
        ),
      ),
    createInline,
    get,
    list,
    results: (batch) =>
      Promise.resolve({
        parts: [{ name: "results" }],
        expiresAt: new Date(batch.createdAt.getTime() + resultDays * dayMilliseconds),
      }),
    openResults: (id, _, range, signal) => reading.open(fileId(id), range, signal),
    stop: (id, signal) =>
      stopBatch(
        () => http.json(cancelCall(`${path(id)}/cancel`, subject(id)), signal),
        () => get(id, signal),
      ),
  };
}

function readBatch(batch: JsonObject): Batch | undefined {
  const id = idText(batch["id"]);
  if (id === undefined) return undefined;
  const rawStatus = text(batch["processing_status"]) ?? "";
  const counts = object(batch["request_counts"]) ?? {};
  const of = (state: string) => count(counts[state]) ?? 0;
  const success = of("succeeded");
  const error = of("errored");
  const processed = success + error;
  const total = processed + of("processing") + of("canceled") + of("expired");
  const cancelled = batch["cancel_initiated_at"];
  return {
    id: batchId(id),
    jobId: undefined,
    name: undefined,
    modelId: undefined,
    status: statusOf(rawStatus, text(cancelled) !== undefined, of, processed),
    rawStatus,
    ...(!["in_progress", "canceling", "ended"].includes(rawStatus) && { unknownStatus: true }),
    input: undefined,
    results: [],
    createdAt: time(batch["created_at"]) ?? new Date(0),
    endedAt: time(batch["ended_at"]),
    expiresAt: time(batch["expires_at"]),
    counts: total === 0 ? undefined : { total, processed, success, error },
    message: undefined,
    tags: {},
  };
}

/** Anthropic knows one end, `ended`; how it ended is seen from the counts. */
function statusOf(
  raw: string,
  stopped: boolean,
  of: (state: string) => number,
  processed: number,
): JobStatus {
  if (raw === "canceling") return "Stopping";
  if (raw !== "ended") return "InProgress";
  // A stop that came too late to keep any record from being processed stopped nothing.
  if (stopped && (of("canceled") > 0 || processed === 0)) return "Stopped";
  if (of("expired") === 0) return "Completed";
  return processed === 0 ? "Expired" : "PartiallyCompleted";
}
