/**
 * What must hold between the entries of the catalog. Each rule looks at one kind of entry together
 * with those that belong to it, all read at one moment, so that what gateways are doing meanwhile is
 * never taken for an error.
 */
import { etagKey } from "../catalog/etags.ts";
import { writeExpiry } from "../catalog/expiry_index.ts";
import { writeJob } from "../catalog/jobs.ts";
import { fileLocation } from "../catalog/names.ts";
import { inKey, keys, longId, nativeTenant } from "../catalog/keys.ts";
import type {
  BatchEntry,
  FileEntry,
  JobEntry,
  ObjectEntry,
  TrashEntry,
} from "../catalog/entries.ts";
import type { Held } from "../catalog/held.ts";
import { batchOf, inputOf } from "../catalog/plans.ts";
import { batchId, type FileId, type JobId } from "../codecs/ids.ts";
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";

/** What is wrong with an entry. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** Which thing it is about. */
  readonly what: string;
  /** The file that it is about, where only its provider knows more. */
  readonly file?: { readonly provider: string; readonly id: FileId };
  /** Adds to a step what puts it right; absent where the catalog does not show what would. */
  readonly mend?: (step: Deno.AtomicOperation) => void;
}

/** What can be wrong within the catalog, in words for the operator. */
export const verdictKinds = {
  "wrong-entry": "entries that are not of their kind's form, which readers set aside",
  "unknown-entry": "entries of no kind that this version knows",
  "job-index": "jobs that indexes do not lead to, or lead to wrongly",
  "stray-index": "index entries without their job",
  "stray-batch": "batches without their job",
  "shared-batch": "batches that two jobs claim",
  "stray-token": "idempotency tokens without their job",
  "stray-tag": "tags without their job",
  "stray-reservation": "amounts reserved for a job that does not run",
  "stray-use": "files held for a job that does not run",
  "object-names": "objects that their file does not know of",
  "stray-name": "names of files without their object",
  "stray-etag": "ETags without their object",
  "nameless-file": "files without their object",
  "trash": "files whose place in the trash is not clear",
} as const;

/** A kind of error within the catalog. */
export type VerdictKind = keyof typeof verdictKinds;

/** A rule over the entries below a prefix. */
export interface Rule {
  readonly prefix: Deno.KvKey;
  /** The keys of what belongs to an entry: at most nine. */
  readonly related: (entry: Deno.KvEntry<unknown>) => Deno.KvKey[];
  /** What is wrong with an entry, given what belongs to it. */
  readonly judge: (
    entry: Deno.KvEntry<unknown>,
    related: readonly unknown[],
  ) => Verdict | undefined;
}

const utf8 = new TextDecoder();

/** All rules. */
export const rules: readonly Rule[] = [
  {
    prefix: ["job"],
    related(entry) {
      const { scope, job } = jobOf(entry);
      const batch = batchOf(job);
      const input = inputOf(job);
      return [
        // Not the key of any batch, where shards have them.
        keys.batch(scope.provider, batch ?? batchId("")),
        keys.jobName(scope, job.id),
        keys.jobOfStatus(scope, job.status, job.id),
        keys.runningJob(scope, job.id),
        ...(input === undefined ? [] : [keys.use(scope.provider, input, job.id)]),
      ];
    },
    judge(entry, [batch, name, ofStatus, running, use]) {
      const { scope, job } = jobOf(entry);
      const owner = batch as BatchEntry | null;
      const what = `job ${job.id} of ${scope.tenant} at ${scope.provider}`;
      if (owner && owner.id !== job.id) return { kind: "shared-batch", what };
      const over = isTerminal(job.status);
      const isUsed = inputOf(job) !== undefined && scope.tenant !== nativeTenant && !over;
      const isOwned = owner?.tenant === scope.tenant && owner.over === over;
      const isRight = (isOwned || batchOf(job) === undefined) &&
        name === job.name && ofStatus === job.name && (running === true) === !over &&
        (use === true) === isUsed;
      if (isRight) return undefined;
      return { kind: "job-index", what, mend: (step) => writeJob(step, scope, job, undefined) };
    },
  },
  {
    prefix: ["job-status"],
    related: ({ key: [, tenant, provider, , id] }) => [["job", tenant, provider, id] as Deno.KvKey],
    judge({ key }, [job]) {
      const status = key[3] as JobStatus;
      return (job as JobEntry | null)?.status === status ? undefined : strayIndex(key, key[4]);
    },
  },
  {
    prefix: ["job-name"],
    related: ({ key: [, tenant, provider, id] }) => [["job", tenant, provider, id] as Deno.KvKey],
    judge: ({ key }, [job]) => job ? undefined : strayIndex(key, key[3]),
  },
  {
    prefix: keys.running(),
    related: ({ key: [, tenant, provider, id] }) => [["job", tenant, provider, id] as Deno.KvKey],
    judge({ key }, [found]) {
      const job = found as JobEntry | null;
      return job && !isTerminal(job.status) ? undefined : strayIndex(key, key[3]);
    },
  },
  {
    prefix: ["batch"],
    related({ key: [, provider], value }) {
      const { tenant, id } = value as BatchEntry;
      return [keys.job({ tenant, provider: provider as string }, id)];
    },
    judge({ key }, [job]) {
      const batch = job ? batchOf(job as JobEntry) : undefined;
      if (batch !== undefined && inKey(batch) === key[2]) return undefined;
      return {
        kind: "stray-batch",
        what: `batch ${String(key[2])} at ${String(key[1])}`,
        mend: (step) => step.delete(key),
      };
    },
  },
  {
    prefix: ["token"],
    related: ({ key: [, tenant, provider], value }) => jobOrEntry(tenant, provider, value),
    judge({ key, value }, [job, entry]) {
      if (job || entry) return undefined;
      const what = `a token of ${String(key[1])} for job ${String(value)}`;
      return { kind: "stray-token", what, mend: (step) => step.delete(key) };
    },
  },
  {
    prefix: ["tag"],
    related: ({ key: [, tenant, provider, id] }) => jobOrEntry(tenant, provider, id),
    judge({ key }, [job, entry]) {
      if (job || entry) return undefined;
      const what = `a tag of job ${String(key[3])} of ${String(key[1])}`;
      return { kind: "stray-tag", what, mend: (step) => step.delete(key) };
    },
  },
  {
    prefix: ["object"],
    related(entry) {
      const { provider, name, record } = objectOf(entry);
      const { file, expiresAt } = record;
      return [
        keys.file(provider, file),
        keys.furtherName(provider, file, name),
        ...(expiresAt === undefined ? [] : [keys.expiry(expiresAt, provider, file)]),
        ...etagOfObject(entry),
      ];
    },
    judge(entry, [found, further, ...indexes]) {
      const { provider, name, record } = objectOf(entry);
      const file = found as FileEntry | null;
      // On its way out: its name goes with it.
      if (file?.state === "trash") return undefined;
      const isNamed = file !== null && (isSame(file, name) || further === true);
      const isIndexed = indexes.every((one) => one !== null);
      if (isNamed && isIndexed) return undefined;
      return {
        kind: "object-names",
        what: `object ${name.bucket}/${name.key} of ${name.tenant} at ${provider}`,
        mend(step) {
          if (!file) {
            step.set(keys.file(provider, record.file), {
              ...longId(record.file),
              ...name,
              ...fileLocation(record.held),
              state: "current",
            });
          } else if (!isNamed) step.set(keys.furtherName(provider, record.file, name), true);
          writeExpiry(step, provider, record);
          for (const key of etagOfObject(entry)) step.set(key, true);
        },
      };
    },
  },
  {
    prefix: ["etag"],
    related: ({ key }) => [objectOfEtag(key)],
    judge({ key }, [object]) {
      const [, tenant, provider, bucket, etag, modifiedAt] = key;
      const record = object as ObjectEntry | null;
      if (record && record.modifiedAt === modifiedAt && record.etag === etag) return undefined;
      return {
        kind: "stray-etag",
        what: `ETag ${String(etag)} in ${String(bucket)} of ${String(tenant)} at ${
          String(provider)
        }`,
        mend: (step) => step.delete(key),
      };
    },
  },
  {
    prefix: ["file"],
    related({ key: [, provider, file], value }) {
      const { tenant, bucket, key } = value as FileEntry;
      return [
        keys.object({ tenant, provider: provider as string }, bucket, key),
        keys.trashed(provider as string, file as FileId),
      ];
    },
    judge({ key, value }, [object, trash]) {
      const [, provider, inItsKey] = key as [string, string, FileId];
      const { id: file = inItsKey, tenant, bucket, key: name, state } = value as FileEntry;
      const what = `file ${file} at ${provider}, once ${bucket}/${name} of ${tenant}`;
      if (state === "trash") {
        if (trash) return undefined;
        const held = heldOf(value as FileEntry, file, object as ObjectEntry | null);
        const thrown: TrashEntry | undefined = held && { ...longId(file), held };
        const mend = (step: Deno.AtomicOperation) =>
          // What no entry holds the place of cannot be deleted: it is forgotten.
          void (thrown ? step.set(keys.trashed(provider, file), thrown) : step.delete(key));
        return { kind: "trash", what, mend };
      }
      if (trash) {
        return { kind: "trash", what, mend: (step) => step.delete(keys.trashed(provider, file)) };
      }
      const isNamed = (object as ObjectEntry | null)?.file === file;
      return isNamed ? undefined : { kind: "nameless-file", what, file: { provider, id: file } };
    },
  },
  {
    prefix: ["name"],
    related({ key }) {
      const { provider, file, name } = furtherOf(key);
      return [
        keys.object({ tenant: name.tenant, provider }, name.bucket, name.key),
        keys.file(provider, file),
      ];
    },
    judge({ key }, [object, owner]) {
      const { provider, file, name } = furtherOf(key);
      const named = object as ObjectEntry | null;
      if (owner && named && inKey(named.file) === file) return undefined;
      return {
        kind: "stray-name",
        what: `name ${name.bucket}/${name.key} of ${name.tenant} for file ${file} at ${provider}`,
        mend: (step) => step.delete(key),
      };
    },
  },
];

function jobOf({ key, value }: Deno.KvEntry<unknown>) {
  const [, tenant, provider] = key as [string, string, string];
  return { scope: { tenant, provider }, job: value as JobEntry };
}

function objectOf({ key: at, value }: Deno.KvEntry<unknown>) {
  const [, tenant, provider, bucket, key] = at as [string, string, string, string, Uint8Array];
  return {
    provider,
    name: { tenant, bucket, key: utf8.decode(key) },
    record: value as ObjectEntry,
  };
}

function etagOfObject(entry: Deno.KvEntry<unknown>): Deno.KvKey[] {
  const { provider, name, record } = objectOf(entry);
  const key = etagKey({ tenant: name.tenant, provider }, name, record);
  return key ? [key] : [];
}

/** Returns where the bytes of a file in the trash are; undefined where no entry holds that. */
function heldOf(
  { account, in: place }: FileEntry,
  file: FileId,
  object: ObjectEntry | null,
): Held | undefined {
  if (object?.file === file) return object.held;
  if (place !== undefined || account === undefined) return undefined;
  return { in: "provider", file, account };
}

function objectOfEtag([, tenant, provider, bucket, , , key]: Deno.KvKey): Deno.KvKey {
  return ["object", tenant ?? "", provider ?? "", bucket ?? "", key ?? ""];
}

function furtherOf(at: Deno.KvKey) {
  const [, provider, file, tenant, bucket, key] = at as [
    string,
    string,
    FileId,
    string,
    string,
    Uint8Array,
  ];
  return { provider, file, name: { tenant, bucket, key: utf8.decode(key) } };
}

function jobOrEntry(tenant: unknown, provider: unknown, id: unknown): Deno.KvKey[] {
  const scope = { tenant: String(tenant), provider: String(provider) };
  return [keys.job(scope, id as JobId), keys.journalEntry(scope, id as JobId)];
}

function strayIndex(key: Deno.KvKey, id: unknown): Verdict {
  return {
    kind: "stray-index",
    what: `${String(key[0])} entry of job ${String(id)} of ${String(key[1])}`,
    mend: (step) => step.delete(key),
  };
}

function isSame(file: FileEntry, name: Pick<FileEntry, "tenant" | "bucket" | "key">): boolean {
  return file.tenant === name.tenant && file.bucket === name.bucket && file.key === name.key;
}
