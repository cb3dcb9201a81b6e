/** What a service says too early, and does not know at once. */
import type { Json } from "../context.ts";
import { isObject } from "../json.ts";
import type { Service } from "./services.ts";
import type { Ids } from "./words.ts";

/** Counts what was said of each file and batch. */
export class Delays {
  readonly #counts = new Map<string, number>();
  readonly #service: Service;
  readonly #ids: Ids;

  constructor(service: Service, ids: Ids) {
    this.#service = service;
    this.#ids = ids;
  }

  /** A batch that is over and does not name its files yet, or a file that is not ready yet. */
  early(value: Json): Json {
    if (!isObject(value)) return value;
    const { object, id, status, deleted } = value;
    const isOver = object === "batch" && status === "completed";
    if (isOver && this.#isStill("late", id, this.#service.lateFiles)) {
      return { ...value, output_file_id: null, error_file_id: null };
    }
    const isPending = object === "file" && deleted === undefined &&
      this.#isStill("pending", id, this.#service.pendingFiles);
    return isPending ? { ...value, status: "pending" } : value;
  }

  /** Whether a file, by the service's id, was last said to be pending. */
  isPending(file: string): boolean {
    const count = this.#counts.get(`pending ${this.#ids.own(file)}`) ?? 0;
    return count > 0 && count <= (this.#service.pendingFiles ?? 0);
  }

  /** Whether batches do not know a file yet. */
  isMissing(file: string): boolean {
    return this.#isStill("missing", file, this.#service.missingFiles);
  }

  #isStill(what: string, id: Json | undefined, times = 0): boolean {
    const name = `${what} ${id}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count <= times;
  }
}
