/** What the values of entries must be: the forms that several kinds of entries have in common. */
import * as v from "valibot";
import { jobStatuses } from "../codecs/job_status.ts";

/** A number, NaN too: what is done with a time of a provider cannot crash. */
export const number = v.custom<number>((value) => typeof value === "number");
/** A text. */
export const text = v.string();
/** The value of an entry whose key says everything. */
export const flag = v.literal(true);
/** Bytes. */
export const bytes = v.instance(Uint8Array);
/** Texts by name. */
export const texts = v.record(v.string(), v.string());
/** A member that may be absent. */
export const optional = v.optional;

const StoredBytes = v.object({ blob: text, bytes: number, sha256: text });
/** How many records are in which state. */
export const counts = v.object({
  total: number,
  processed: number,
  success: number,
  error: number,
});

/** A `ShardEntry`. */
export const ShardForm = v.object({
  n: number,
  round: optional(number),
  provider: optional(text),
  account: text,
  first: number,
  last: number,
  records: number,
  span: optional(v.tuple([number, number])),
  isInARow: optional(v.literal(true)),
  lines: StoredBytes,
  file: optional(text),
  askedAt: optional(number),
  batch: optional(text),
  waitsFor: optional(text),
  waitedAt: optional(number),
  missedAt: optional(number),
  end: optional(v.object({
    status: v.picklist(jobStatuses),
    counts: optional(counts),
    message: optional(text),
    results: v.array(text),
    endedAt: number,
  })),
});

/** A `PreparedEntry`. */
export const PreparedForm = v.object({
  records: number,
  refused: number,
  lossy: number,
  losses: optional(StoredBytes),
  copy: optional(v.object({ bytes: StoredBytes, files: StoredBytes })),
  round: optional(number),
  size: optional(v.object({ batches: number, bytes: number, tokens: number })),
});

const JobEvent = v.object({
  id: text,
  job: text,
  name: text,
  modelId: text,
  region: text,
  status: v.picklist(jobStatuses),
  message: optional(text),
  submittedAt: number,
  modifiedAt: number,
  counts: optional(counts),
});

const eventTry = { event: JobEvent, target: text, tries: number, error: optional(text) };

/** An event that waits for a receiver. */
export const WaitingEventForm = v.object({ ...eventTry, since: number, nextAt: number });

/** An event that is over. */
export const DoneEventForm = v.object({
  ...eventTry,
  outcome: v.picklist(["delivered", "given-up"]),
  at: number,
});

/** An `UploadEntry`. */
export const UploadForm = v.object({
  startedAt: number,
  contentType: text,
  headers: texts,
  metadata: texts,
  checksum: optional(v.object({ header: text, type: v.picklist(["COMPOSITE", "FULL_OBJECT"]) })),
  disk: optional(text),
});

/** A `PartEntry`. */
export const PartForm = v.object({
  file: text,
  bytes: number,
  md5: text,
  modifiedAt: number,
  checksums: texts,
});

/** A `UsageEntry`. */
export const UsageForm = v.object({
  accessKeyId: optional(text),
  model: text,
  runs: v.array(v.object({
    provider: text,
    model: text,
    succeeded: number,
    failed: number,
    inputTokens: number,
    cachedInputTokens: number,
    outputTokens: number,
    price: optional(v.object({ input: number, output: number, cachedInput: optional(number) })),
  })),
});

/** A kept blob. */
export const KeptBlob = v.object({ blob: text, disk: optional(text) });

/** A `Held`. */
export const Held = v.variant("in", [
  v.object({
    in: v.literal("provider"),
    file: text,
    account: text,
    copy: optional(KeptBlob),
  }),
  v.object({
    in: v.literal("batch"),
    batch: text,
    account: text,
    parts: v.array(v.object({ name: text, bytes: number, lineFeed: v.boolean() })),
    cutChunks: number,
  }),
  v.object({ in: v.literal("store"), ...KeptBlob.entries, of: optional(v.literal("objects")) }),
  v.object({ in: v.literal("catalog"), text }),
]);

/** A `ForwardedEntry`. */
export const ForwardedForm = v.object({
  tenant: text,
  accessKeyId: optional(text),
  model: text,
  output: text,
  owner: optional(text),
  createdAt: number,
  nextAt: number,
  tries: number,
  reservation: optional(text),
});
