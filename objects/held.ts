/** The places that objects' bytes can be in: how they are opened, and how they are deleted, in each. */
import type { ObjectEntry } from "../catalog/entries.ts";
import type { HeldIn, HeldKinds } from "../catalog/held.ts";
import { Failure } from "../codecs/failure.ts";
import type { ByteRange, StoringProvider } from "../providers/provider.ts";
import { accountOf, filesOf } from "../reach/reach.ts";
import type { HeldDeps, HeldObject, HeldOperations, OpenDeps } from "./held_operations.ts";
import type { SpoolRange } from "./read_spool.ts";
import { openResults } from "./results/open.ts";

const operations: { readonly [In in keyof HeldKinds]: HeldOperations<In> } = {
  provider: {
    async open({ reads, kept, tenant }, provider, { held, bytes }, range, signal) {
      const { file, account, copy } = held;
      if (copy) return await kept.open(copy, range, signal);
      const files = filesOf(provider, accountOf(provider, account));
      // A range of everything is asked for as a whole: no provider can ignore that.
      const isWhole = range.first === 0 && range.last === bytes - 1;
      if (isWhole) return await files.read(file, undefined, signal);
      if (!reads) return await files.read(file, range, signal);
      const source = JSON.stringify([provider.name, account]);
      const id = JSON.stringify([provider.name, account, file]);
      const open = (part: SpoolRange | undefined, asked: AbortSignal) =>
        files.open(file, part, asked);
      return await reads.read({ id, source, tenant, bytes, open }, range, signal);
    },
    async remove({ kept }, provider, { held: { file, account, copy } }, signal) {
      await accountOf(provider, account).files?.delete(file, signal);
      if (copy) await kept.removeCopy(provider.name, copy, signal);
    },
  },
  batch: {
    open: openResults,
    // The provider's own files of results stay with it.
    remove: ({ catalog }, provider, { file }) => catalog.forget(provider.name, file),
  },
  store: {
    async open({ store, kept }, _, { held }, range, signal) {
      if (held.of === "objects") return await kept.open(held, range, signal);
      if (!store) throw noStore();
      return await store.open(held.blob, range, signal);
    },
    async remove({ store, kept }, _, { held }, signal) {
      if (held.of === "objects") await kept.remove(held, signal);
      else await store?.remove(held.blob, signal);
    },
  },
  catalog: {
    open(_, _1, { held: { text } }, { first, last }) {
      const bytes = new TextEncoder().encode(text).subarray(first, last + 1);
      return Promise.resolve(new Blob([bytes]).stream());
    },
    // It went with its entry.
    remove: () => Promise.resolve(),
  },
};

/** Opens an object's bytes, or a range of them. */
export async function openHeld<In extends keyof HeldKinds>(
  deps: OpenDeps,
  provider: StoringProvider,
  object: HeldObject<In>,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const end = object.bytes - 1;
  const wanted = { first: range?.first ?? 0, last: Math.min(range?.last ?? end, end) };
  return await operationsOf<In>(object.held).open(deps, provider, object, wanted, signal);
}

/** Deletes the bytes of an object that has no name any more. */
export async function removeHeld<In extends keyof HeldKinds>(
  deps: HeldDeps,
  provider: StoringProvider,
  object: Pick<HeldObject<In>, "file" | "held">,
  signal: AbortSignal,
): Promise<void> {
  await operationsOf<In>(object.held).remove(deps, provider, object, signal);
}

function operationsOf<In extends keyof HeldKinds>(held: HeldIn<In>): HeldOperations<In> {
  return operations[held.in];
}

/** The provider's account that an object's bytes are at; undefined where they are at none. */
export function accountOfHeld({ held }: Pick<ObjectEntry, "held">): string | undefined {
  return "account" in held ? held.account : undefined;
}

function noStore(): Failure {
  return new Failure(
    "unavailable",
    "These results were kept in a place that the gateway's configuration no longer names; its " +
      "operator can set results.keep again",
  );
}
