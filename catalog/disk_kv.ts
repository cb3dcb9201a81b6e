/**
 * A KV in a file whose disk may be full. SQLite takes a commit back that found no room, so that
 * nothing of it is there, and the same KV goes on once there is room again (measured with Deno 2.9.6).
 */
import type { Disk } from "../codecs/disk.ts";
import { kvOver } from "./kv.ts";

/** Makes a KV that says so where its disk refuses a write. */
export function onDisk(kv: Deno.Kv, disk: Disk): Deno.Kv {
  return kvOver(kv, {
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
