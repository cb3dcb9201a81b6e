/**
 * Every kind of entry of the catalog: which keys it has, and what its value must be. Only what the
 * program relies on is asked for; members that a later version adds are let through.
 */
import * as v from "valibot";
import type { NamedObject as NamedObjectEntry } from "./entries.ts";
import { jobStatuses } from "../codecs/job_status.ts";
import {
  bytes,
  counts,
  DoneEventForm,
  flag,
  ForwardedForm,
  Held,
  number,
  optional,
  PartForm,
  PreparedForm,
  ShardForm,
  text,
  texts,
  UploadForm,
  UsageForm,
  WaitingEventForm,
} from "./forms.ts";
import {
  CredentialForm,
  noCredential,
  PutReservationForm,
  QuotaForm,
  ReservationForm,
} from "./account_forms.ts";
import { BegunPlan, Plan } from "./plan_forms.ts";

/** A kind of entry. */
interface EntryKind {
  /** What follows the kind in a key; several forms where keys of one kind differ. */
  readonly key: readonly (readonly KeyPart[])[];
  readonly value: v.GenericSchema;
  /** What stands for an entry that is wrong; it is absent to readers where this is. */
  readonly standIn?: unknown;
}

type KeyPart = "text" | "number" | "bytes";

const PackedParts = v.object({
  runs: v.array(v.tuple([number, number, number])),
  checksums: optional(v.object({ header: text, bytes })),
});

const ObjectEntry = v.object({
  file: text,
  etag: text,
  held: Held,
  md5: optional(text),
  bytes: number,
  records: optional(number),
  modifiedAt: number,
  contentType: text,
  headers: texts,
  metadata: texts,
  checksums: texts,
  parts: optional(PackedParts),
  expiresAt: optional(number),
});

const NamedObject = v.object({
  tenant: text,
  provider: text,
  bucket: text,
  key: text,
  record: ObjectEntry,
});

const description = {
  id: text,
  region: text,
  name: text,
  modelId: text,
  roleArn: text,
  inputDataConfig: v.object({ s3InputDataConfig: v.object({ s3Uri: text }) }),
  outputDataConfig: v.object({ s3OutputDataConfig: v.object({ s3Uri: text }) }),
  timeoutDurationInHours: optional(number),
  modelInvocationType: optional(text),
  clientRequestToken: optional(text),
  submittedAt: number,
  accessKeyId: optional(text),
  outputAt: optional(text),
};

const JobEntry = v.object({
  ...description,
  plan: Plan,
  status: v.picklist(jobStatuses),
  stopRequested: v.boolean(),
  message: optional(text),
  modifiedAt: number,
  endedAt: optional(number),
  expiresAt: optional(number),
  counts: optional(counts),
  results: v.array(text),
  doubtSince: optional(number),
  events: optional(number),
});

const JournalEntry = v.object({
  job: v.object({ ...description, plan: BegunPlan }),
  promise: optional(v.object({ token: text, digest: text })),
  askedAt: number,
  owner: text,
  leaseUntil: number,
});

const Lease = v.object({ owner: text, until: number });

const ofJob: readonly (readonly KeyPart[])[] = [["text", "text", "text"]];
const ofFile: readonly (readonly KeyPart[])[] = [["text", "text"]];
const ofId: readonly (readonly KeyPart[])[] = [["text"]];

/** All kinds, by the first part of their keys; `keys.ts` makes the keys. */
const kinds: Readonly<Record<string, EntryKind>> = {
  "object": { key: [["text", "text", "text", "bytes"]], value: ObjectEntry },
  "etag": { key: [["text", "text", "text", "text", "number", "bytes"]], value: flag },
  "bucket": { key: ofJob, value: v.object({ createdAt: number, implicit: optional(flag) }) },
  "upload": { key: [["text", "text", "text", "bytes", "text"]], value: UploadForm },
  "upload-bytes": { key: ofId, value: v.instance(Deno.KvU64) },
  "completing": { key: ofId, value: Lease },
  "completed": {
    key: ofId,
    value: v.object({ ...NamedObject.entries, completedAt: number }),
  },
  "part": { key: [["text", "number"]], value: PartForm },
  "file": {
    key: ofFile,
    value: v.object({
      id: optional(text),
      tenant: text,
      bucket: text,
      key: text,
      account: optional(text),
      in: optional(v.picklist(["batch", "store", "catalog"])),
      state: v.picklist(["current", "trash"]),
      native: optional(flag),
    }),
  },
  "name": { key: [["text", "text", "text", "text", "bytes"]], value: flag },
  "expiry": { key: [["number", "text", "text"]], value: v.union([flag, text]) },
  "copy": { key: ofFile, value: flag },
  "trash": {
    key: ofFile,
    value: v.object({ id: optional(text), held: Held, restoredFrom: optional(number) }),
  },
  "use": { key: ofJob, value: flag },
  "job": { key: ofJob, value: JobEntry },
  "job-status": { key: [["text", "text", "text", "text"]], value: text },
  "job-name": { key: ofJob, value: text },
  "running": { key: ofJob, value: flag },
  "prepared": { key: ofJob, value: PreparedForm },
  "unreleased": { key: ofJob, value: flag },
  "pin": {
    key: [["text", "text", "text", "number"]],
    value: v.object({ provider: text, key: text, file: text, held: Held, bytes: number }),
  },
  "shard": { key: [["text", "text", "text", "number"]], value: ShardForm },
  "asking": { key: [["text", "text", "text", "number"]], value: v.union([flag, text]) },
  "busy": { key: [["text", "text", "text", "text", "text", "number"]], value: flag },
  "busy-gate": { key: [["text", "text"]], value: number },
  "tag": { key: [["text", "text", "text", "text"]], value: text },
  "batch": { key: ofFile, value: v.object({ tenant: text, id: text, over: v.boolean() }) },
  "result-file": { key: ofFile, value: text },
  "journal": { key: ofJob, value: JournalEntry },
  "token": { key: [["text", "text", "text", "text"]], value: text },
  "results-cut": { key: [["text", "text", "number"]], value: bytes },
  "settling": { key: ofJob, value: Lease },
  "unsettled": { key: ofJob, value: flag },
  "record-ids": {
    key: [["text", "text", "number"]],
    value: v.union([
      bytes,
      v.object({
        unique: v.boolean(),
        foreign: optional(text),
        chunks: number,
        packed: optional(bytes),
      }),
    ]),
  },
  "asked": { key: ofJob, value: number },
  "event": { key: [["text", "text", "text", "text", "number"]], value: WaitingEventForm },
  "event-done": {
    key: [["number", "text", "text", "text", "text", "number"]],
    value: DoneEventForm,
  },
  "event-replay": { key: [[]], value: number },
  "forwarded": { key: ofFile, value: ForwardedForm },
  "usage": { key: [["text", "text", "text", "text"]], value: UsageForm },
  "lease": { key: ofId, value: v.object({ ...Lease.entries, doneAt: optional(number) }) },
  "walked": { key: ofFile, value: v.union([v.boolean(), text]) },
  "instance": {
    key: ofId,
    value: v.object({ startedAt: number, seenAt: number, nextAt: optional(number) }),
  },
  "registration": { key: ofId, value: flag },
  "secret": { key: ofId, value: bytes },
  "schema": {
    key: [[], ["text"]],
    value: v.union([number, v.object({ madeAt: number, restoredAt: number })]),
  },
  "credential": { key: ofId, value: CredentialForm, standIn: noCredential },
  "credential-use": { key: ofId, value: number },
  "quota": { key: ofFile, value: QuotaForm },
  "reservation": { key: ofJob, value: ReservationForm },
  "put-reservation": { key: ofJob, value: PutReservationForm },
  "sealed-under": { key: [[]], value: text },
  "credentials-version": { key: [[]], value: text },
};

/** What is to be said of an entry: that it is as it should be, or what is wrong with it. */
export type EntryVerdict = "right" | "unknown" | "wrong-key" | "wrong-value";

/** Returns whether an entry is one of its kind; `unknown` where there is no such kind. */
export function judgeEntry(key: Deno.KvKey, value: unknown): EntryVerdict {
  const [name, ...rest] = key;
  const kind = typeof name === "string" && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (!kind) return "unknown";
  if (!kind.key.some((form) => hasForm(rest, form))) return "wrong-key";
  return v.is(kind.value, value) ? "right" : "wrong-value";
}

/** Returns whether a value is one of a kind. */
export function fitsKind(name: string, value: unknown): boolean {
  const kind = kinds[name];
  return kind !== undefined && v.is(kind.value, value);
}

/** Returns whether a value is an object with its name. */
export function isNamedObject(value: unknown): value is NamedObjectEntry {
  return v.is(NamedObject, value);
}

/**
 * Returns what stands for an entry of this kind that is wrong: null where it is as if it were not
 * there.
 */
export function standInFor(key: Deno.KvKey): unknown {
  return kinds[String(key[0])]?.standIn ?? null;
}

/** The names of all kinds. */
export const entryKinds: readonly string[] = Object.keys(kinds);

const partTypes: Readonly<Record<KeyPart, (part: Deno.KvKeyPart) => boolean>> = {
  text: (part) => typeof part === "string",
  number: (part) => typeof part === "number",
  bytes: (part) => part instanceof Uint8Array,
};

function hasForm(parts: readonly Deno.KvKeyPart[], form: readonly KeyPart[]): boolean {
  return parts.length === form.length &&
    form.every((name, at) => partTypes[name](parts[at] as Deno.KvKeyPart));
}
