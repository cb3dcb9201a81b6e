/**
 * A KV in a file whose disk may be full. SQLite takes a commit back that found no room, so that
 * nothing of it is there, and the same KV goes on once there is room again (measured with Deno 2.9.6).
 */
import { type Disk, diskFailure, diskTrouble } from "../runtime/disk.ts";
import { kvOver } from "./kv.ts";

/** Makes a KV that says so where its disk refuses a write, or fails in a read. */
export function onDisk(kv: Deno.Kv, disk: Disk): Deno.Kv {
  return kvOver(kv, {
    get: (key, options) => worded(() => kv.get(key, options)),
    getMany: (keys, options) => worded(() => kv.getMany(keys, options)),
    list<Value>(selector: Deno.KvListSelector, options?: Deno.KvListOptions) {
      const entries = kv.list<Value>(selector, options);
      return {
        get cursor() {
          return entries.cursor;
        },
        next: () => worded(() => entries.next()),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    set: (key, value, options) => disk.write(() => kv.set(key, value, options)),
    delete: (key) => disk.write(() => kv.delete(key)),
    atomic() {
      const step = kv.atomic();
      const commit = step.commit.bind(step);
      step.commit = () => disk.write(commit);
      return step;
    },
  });
}

/**
 * Reads, and words what the disk refuses. It is not remembered: a read does not show whether there
 * is room.
 */
async function worded<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    const trouble = diskTrouble(error);
    throw trouble === undefined ? error : diskFailure(trouble, error);
  }
}
