/** Holding the catalog against the store of kept objects. */
import { checkedKv } from "../catalog/checked_kv.ts";
import { maxBatch } from "../catalog/keys.ts";
import type { FileEntry, NamedObject } from "../catalog/entries.ts";
import { keptBlobOf } from "../catalog/held.ts";
import type { BlobStore } from "../blobs/store.ts";
import { Failure } from "../codecs/failure.ts";
import { type BlobName, blobName, fileId } from "../codecs/ids.ts";
import { labelled, readLabel } from "../objects/labels.ts";
import type { CompareDeps, Difference } from "./compare.ts";

/** The store of kept objects, as far as it is looked through. */
export interface KeptStore {
  readonly blobs: Pick<BlobStore, "list" | "head" | "open">;
  /** The id of the disk that it is on; absent for a bucket. */
  readonly disk?: string;
}

/** A difference between the catalog and the store; `label` of a blob that the catalog does not know. */
export interface BlobDifference extends Pick<Difference, "kind" | "what"> {
  readonly label?: NamedObject;
}

/** Where gateways keep what clients put; the second part of a name is the provider's. */
const putBelow = "kept/";

/** Yields all differences between the catalog and the store of kept objects. Nothing is changed. */
export async function* compareBlobs(
  deps: CompareDeps,
  place: KeptStore,
  signal: AbortSignal,
): AsyncGenerator<BlobDifference> {
  try {
    yield* unknownBlobs(deps, place, signal);
    yield* missingBlobs(deps, place, signal);
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    yield { kind: "unreachable", what: `the store of kept objects: ${error.message}` };
  }
}

/** Blobs of ours that the catalog does not know: all that were put, and results that have labels. */
async function* unknownBlobs(
  { catalog: { objects, copies, instances } }: CompareDeps,
  { blobs }: KeptStore,
  signal: AbortSignal,
): AsyncGenerator<BlobDifference> {
  for await (const { name } of blobs.list(putBelow, signal)) {
    const [, provider = "", rest = ""] = name.split("/");
    const blob = blobName(name);
    if (await isKnown(provider, blob)) continue;
    // Of a process that the catalog knows of, it may be under way, or is the sweep's to delete.
    const swept = (await instances.all()).some(({ id }) => rest.startsWith(`bw-${id}-`));
    if (swept || await isKnown(provider, blob)) continue;
    yield* unknown(blob);
  }
  for await (const blob of labelled(blobs, signal)) {
    if (blob.startsWith(putBelow)) continue;
    const label = await readLabel(blobs, blob, signal);
    if (!label || (await objects.known(label.provider, [label.record.file])).size > 0) continue;
    if (await blobs.head(blob, signal)) yield* unknown(blob);
  }

  async function isKnown(provider: string, blob: BlobName): Promise<boolean> {
    return (await objects.known(provider, [fileId(blob)])).size > 0 ||
      (await copies.known(provider, [blob])).size > 0;
  }

  async function* unknown(blob: BlobName): AsyncGenerator<BlobDifference> {
    const label = await readLabel(blobs, blob, signal);
    yield { kind: "unknown-blob", what: `blob ${blob}`, ...(label && { label }) };
  }
}

/** Objects whose blob is gone, and how many are on disks that are not seen here. */
async function* missingBlobs(
  { kv, catalog: { objects } }: CompareDeps,
  { blobs, disk }: KeptStore,
  signal: AbortSignal,
): AsyncGenerator<BlobDifference> {
  const elsewhere = new Map<string, number>();
  const rows = checkedKv(kv).list<FileEntry>({ prefix: ["file"] }, { batchSize: maxBatch });
  for await (const { key: [, provider, id], value: owner } of rows) {
    if (owner.state === "trash") continue;
    const { tenant, bucket, key } = owner;
    const scope = { tenant, provider: String(provider) };
    const find = async () => {
      const record = await objects.get(scope, bucket, key);
      return record && record.file === (owner.id ?? id) ? keptBlobOf(record.held) : undefined;
    };
    const kept = await find();
    if (!kept) continue;
    const on = kept.disk?.split("@", 1)[0];
    if (on !== disk) {
      const where = kept.disk ?? "a bucket that the configuration does not name";
      elsewhere.set(where, (elsewhere.get(where) ?? 0) + 1);
    } else if (!await blobs.head(kept.blob, signal) && (await find())?.blob === kept.blob) {
      const what = `object ${bucket}/${key} of ${tenant} at ${scope.provider}, blob ${kept.blob}`;
      yield { kind: "object-without-blob", what };
    }
  }
  for (const [where, count] of elsewhere) {
    yield { kind: "blobs-elsewhere", what: `${count} on ${where}` };
  }
}
