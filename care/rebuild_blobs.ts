/** Making objects again of what their labels in the store of kept objects say. */
import { keys } from "../catalog/keys.ts";
import type { NamedObject, RestoredEntry } from "../catalog/entries.ts";
import { keptBlobOf } from "../catalog/held.ts";
import type { WriteCondition } from "../catalog/objects.ts";
import { Failure } from "../codecs/failure.ts";
import type { CompareDeps } from "./compare.ts";
import { compareBlobs, type KeptStore } from "./compare_blobs.ts";

/** What is done with each difference. */
export interface BlobOutcomes {
  /** An object was made again. */
  made(): void;
  /** Something is left as it is, and why. */
  left(sentence: string): void;
}

const reasons: Readonly<Record<string, string>> = {
  "unknown-blob": "it has no label that says what it was (an older version put it)",
  "object-without-blob": "it is forgotten once it is read",
  "blobs-elsewhere": "run it on the machine that has them, or name their store",
  "unreachable": "run it again",
};

/** Makes objects again of blobs that the catalog does not know. Of those of one name the newest is the object. */
export async function rebuildFromBlobs(
  deps: CompareDeps,
  place: KeptStore,
  { made, left }: BlobOutcomes,
  signal: AbortSignal,
): Promise<void> {
  const newest = new Map<string, NamedObject>();
  for await (const { kind, what, label } of compareBlobs(deps, place, signal)) {
    if (!label) {
      left(`${what}: ${reasons[kind] ?? "it is left as it is"}`);
      continue;
    }
    const name = nameOf(label);
    const other = newest.get(name);
    if (!other || other.record.modifiedAt < label.record.modifiedAt) newest.set(name, label);
  }
  const restored = (await deps.kv.get<RestoredEntry>(keys.restored())).value ?? undefined;
  for (const label of newest.values()) {
    if (await isRecorded(deps, place, label, restored, signal)) made();
    else left(`blob ${keptBlobOf(label.record.held)?.blob}: its name stands for another object`);
  }
}

function nameOf({ tenant, provider, bucket, key }: NamedObject): string {
  return JSON.stringify([tenant, provider, bucket, key]);
}

/** Records an object; false where its name stands for another one, or its bytes are not whole. */
async function isRecorded(
  { catalog: { objects } }: CompareDeps,
  place: KeptStore,
  label: NamedObject,
  restored: RestoredEntry | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { tenant, provider, bucket, key, record } = label;
  const scope = { tenant, provider };
  const kept = keptBlobOf(record.held);
  const found = kept && await place.blobs.head(kept.blob, signal);
  if (found?.bytes !== record.bytes) return false;
  try {
    const old = await objects.get(scope, bucket, key);
    const condition: WriteCondition =
      old && await isReplaced(place, old, record.modifiedAt, restored, signal)
        ? { files: [old.file] }
        : { absent: true };
    await objects.set(scope, bucket, key, record, condition);
    return true;
  } catch (error) {
    const isRefused = error instanceof Failure &&
      ["precondition", "invalid", "not-found"].includes(error.kind);
    if (isRefused) return false;
    throw error;
  }
}

/**
 * Returns whether an object was replaced by a later one: after the backup was made that the catalog
 * came back from, or because its own blob is gone.
 */
async function isReplaced(
  { blobs, disk }: KeptStore,
  { held, modifiedAt }: NamedObject["record"],
  laterAt: number,
  restored: RestoredEntry | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (laterAt < modifiedAt) return false;
  if (restored && modifiedAt <= restored.restoredAt && laterAt > restored.madeAt) return true;
  const kept = held.in === "store" ? keptBlobOf(held) : undefined;
  if (!kept || kept.disk?.split("@", 1)[0] !== disk) return false;
  return !await blobs.head(kept.blob, signal);
}
