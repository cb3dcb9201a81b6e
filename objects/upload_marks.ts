/**
 * The uploads of this process by their marks: those under way, and those that may have left a file
 * at their provider that no object names.
 */
import { markPrefix } from "./name.ts";

/** Uploads by their marks. */
export type UploadMarks = ReturnType<typeof createUploadMarks>;

/**
 * So long after it was given up, an upload's file may still appear at the provider, in
 * milliseconds: a provider may go on with a request whose sender is gone.
 */
const lateMilliseconds = 120_000;

/**
 * Makes the uploads of a gateway process.
 *
 * @param uptime Milliseconds of a clock that is never set.
 */
export function createUploadMarks(instance: string, uptime: () => number) {
  let count = 0;
  const running = new Set<string>();
  /** Since when an upload is in doubt. */
  const doubts = new Map<string, number>();

  return { begin, end, doubt, doubtful, searched, leftNothing };

  /** Begins an upload: its mark is unlike every other, also of other processes. */
  function begin(): string {
    // Up to the end of the name, so that the first mark is not found in the tenth.
    const mark = `${markPrefix(instance)}${(count++).toString(36)}.`;
    running.add(mark);
    return mark;
  }

  /** Ends an upload whose file is recorded, or was never made. */
  function end(mark: string): void {
    running.delete(mark);
  }

  /**
   * Ends an upload that may have left a file, or may leave one yet.
   *
   * @param settled Until when its file may yet be recorded: it must not be searched for before.
   */
  function doubt(mark: string, settled?: Promise<void>): void {
    if (settled) {
      settled.then(() => doubt(mark));
      return;
    }
    running.delete(mark);
    doubts.set(mark, uptime());
  }

  /** The uploads that are in doubt. */
  function doubtful(): string[] {
    return [...doubts.keys()];
  }

  /** These were looked for at every provider; nothing of those that are old will appear any more. */
  function searched(marks: readonly string[]): void {
    for (const mark of marks) {
      if ((doubts.get(mark) ?? 0) + lateMilliseconds < uptime()) doubts.delete(mark);
    }
  }

  /**
   * Returns whether no file of this process can be at a provider that the catalog does not know.
   */
  function leftNothing(): boolean {
    return running.size === 0 && doubts.size === 0;
  }
}
