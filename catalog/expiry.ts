/** Files that their provider forgets at a time that it gave. */
import type { FileId } from "../codecs/ids.ts";
import type { Held } from "./held.ts";
import { keys } from "./keys.ts";
import { change } from "./kv.ts";
import type { ObjectCatalog } from "./objects.ts";

/** The part of the catalog that knows when files expire. */
export type ExpiryCatalog = ReturnType<typeof createExpiryCatalog>;

/** Makes that part of the catalog. */
export function createExpiryCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  objects: ObjectCatalog,
) {
  return { forgetExpired, hasAny };

  /** Returns whether any file is to be forgotten at a time. */
  async function hasAny(): Promise<boolean> {
    const entries = kv.list({ prefix: keys.expiries() }, { limit: 1 });
    for await (const _ of entries) return true;
    return false;
  }

  /**
   * Forgets every file whose time has come, with all its names. The cost is that of what has
   * expired, however full the catalog.
   */
  async function forgetExpired(now: number, signal: AbortSignal): Promise<void> {
    const end = keys.expiry(now, "\u{10ffff}", "" as FileId);
    for await (const { key, value } of kv.list<FileId | true>({ start: keys.expiries(), end })) {
      if (signal.aborted) return;
      const [, , provider, id] = key as [string, number, string, FileId];
      await forget(provider, value === true ? id : value, now);
      await change(sleep, async () => {
        await kv.delete(key);
        return { done: undefined };
      });
    }
  }

  async function forget(provider: string, file: FileId, now: number): Promise<void> {
    for (;;) {
      const owner = await objects.file(provider, file);
      if (!owner) return;
      if (owner.state === "trash") {
        // What the gateway keeps itself is there until the trash is emptied.
        const trash = await objects.trashed(provider, file);
        return trash && isKept(trash.held) ? undefined : await objects.forget(provider, file);
      }
      const { tenant, bucket, key } = owner;
      const scope = { tenant, provider };
      const record = await objects.get(scope, bucket, key);
      const isLive = record?.file === file && (record.expiresAt ?? Infinity) > now;
      if (isLive) return;
      // Another of its names takes this one's place, until there is none.
      if (record?.file === file && isKept(record.held)) {
        await objects.remove(scope, bucket, key, record, "trash");
      } else await objects.drop(scope, bucket, key, file, owner.in ?? "provider");
    }
  }
}

/** Returns whether a blob of the gateway's own holds the bytes, or a copy of them. */
function isKept(held: Held): boolean {
  return held.in === "store" || held.in === "provider" && held.copy !== undefined;
}
