/**
 * Copies, and deletions that mind them. A copy is a second name for the same provider file; the
 * file goes with its last name.
 */
import type { FileId } from "../codecs/ids.ts";
import { addEtag, dropEtag } from "./etags.ts";
import { writeExpiry } from "./expiry_index.ts";
import { keys, longId, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import { addName, dropName, fileLocation, type Loss, throwAway } from "./names.ts";
import { checkWrite, type WriteCondition } from "./objects.ts";
import type { FileEntry, ObjectEntry } from "./entries.ts";

/** What giving a file another name came to; `gone` if the file is being deleted. */
export type Linked = "gone" | { readonly replaced: ObjectEntry | undefined };

/** The part of the catalog that knows files of several names. */
export type LinkCatalog = ReturnType<typeof createLinkCatalog>;

/** Makes that part of the catalog. */
export function createLinkCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { link, part, restore, partNative, restoreNative };

  /**
   * Records an object whose file is at the provider already, under a name of its own. The file that
   * the name stood for until now goes to the trash in the same step if this was its last name.
   *
   * @param native Whether the file is native, and so has perhaps no name yet.
   */
  function link(
    scope: Scope,
    bucket: string,
    key: string,
    record: ObjectEntry,
    native: boolean,
    condition: WriteCondition,
  ): Promise<Linked> {
    const { provider } = scope;
    const name = { tenant: scope.tenant, bucket, key };
    let wasTried = false;
    return change(sleep, async (): Promise<Attempt<Linked>> => {
      const old = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
      const entry = await kv.get<FileEntry>(keys.file(provider, record.file));
      // Over KV Connect a step may be applied and still answer "not ok": this is our own record.
      const isSame = old.value?.file === record.file && old.value.modifiedAt === record.modifiedAt;
      if (isSame && wasTried) return { done: { replaced: undefined } };
      wasTried = true;
      checkWrite(old.value, condition, key, record.modifiedAt);
      if (entry.value ? entry.value.state === "trash" : !native) return { done: "gone" };
      const step = kv.atomic().check(old).set(old.key, record);
      dropEtag(step, scope, name, old.value);
      addEtag(step, scope, name, record);
      if (old.value?.file === record.file) {
        // The name stands for this file already: only what is kept with it changes.
        return (await step.check(entry).commit()).ok ? { done: { replaced: undefined } } : "again";
      }
      const first: FileEntry = {
        ...longId(record.file),
        ...name,
        ...fileLocation(record.held),
        state: "current",
        native: true,
      };
      addName(step, provider, record.file, name, entry, first);
      writeExpiry(step, provider, record);
      if (old.value) {
        const loss = await dropName(kv, step, provider, old.value.file, name);
        if (loss === "last") throwAway(step, provider, old.value, name);
      }
      return (await step.commit()).ok ? { done: { replaced: old.value ?? undefined } } : "again";
    });
  }

  /**
   * Takes a name from a file that has others. The last name stays, and the file goes to the trash,
   * where it can get no other: the caller deletes it at its provider, and then removes or
   * restores the name.
   */
  function part(scope: Scope, bucket: string, key: string, record: ObjectEntry): Promise<Loss> {
    const name = { tenant: scope.tenant, bucket, key };
    return change(sleep, async (): Promise<Attempt<Loss>> => {
      const old = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
      // Replaced or deleted meanwhile: that step has taken care of the file.
      if (old.value?.file !== record.file) return { done: "named" };
      const step = kv.atomic().check(old);
      const loss = await dropName(kv, step, scope.provider, record.file, name);
      if (loss === "named") {
        step.delete(old.key);
        dropEtag(step, scope, name, old.value);
      } else throwAway(step, scope.provider, record, name);
      return (await step.commit()).ok ? { done: loss } : "again";
    });
  }

  /** Takes a file whose deletion the provider refused out of the trash, if it still has its name. */
  function restore(
    scope: Scope,
    bucket: string,
    key: string,
    record: ObjectEntry,
  ): Promise<void> {
    return change(sleep, async () => {
      const object = await kv.get<ObjectEntry>(keys.object(scope, bucket, key));
      const entry = await kv.get<FileEntry>(keys.file(scope.provider, record.file));
      const isWaiting = object.value?.file === record.file && entry.value?.state === "trash";
      if (!isWaiting) return { done: undefined };
      const step = kv.atomic().check(object).check(entry)
        .set(entry.key, { ...entry.value, state: "current" })
        .delete(keys.trashed(scope.provider, record.file));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Takes its native name, the id, from a native file that has been given
   * others. One without others goes to the trash, as with {@linkcode part}.
   */
  function partNative(scope: Scope, file: FileId, account: string): Promise<Loss> {
    return change(sleep, async (): Promise<Attempt<Loss>> => {
      const entry = await kv.get<FileEntry>(keys.file(scope.provider, file));
      const step = kv.atomic().check(entry);
      if (entry.value?.state === "trash") return { done: "last" };
      if (entry.value) {
        const { native: _, ...named } = entry.value;
        step.set(entry.key, named);
      } else {
        const name = { tenant: scope.tenant, bucket: "", key: "" };
        throwAway(step, scope.provider, { file, held: { in: "provider", file, account } }, name);
      }
      const loss = entry.value ? "named" : "last";
      return (await step.commit()).ok ? { done: loss } : "again";
    });
  }

  /** Takes a native file whose deletion the provider refused out of the trash. */
  function restoreNative(provider: string, file: FileId): Promise<void> {
    return change(sleep, async () => {
      const entry = await kv.get<FileEntry>(keys.file(provider, file));
      if (entry.value?.state !== "trash" || entry.value.bucket !== "") return { done: undefined };
      const step = kv.atomic().check(entry).delete(entry.key).delete(keys.trashed(provider, file));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}
