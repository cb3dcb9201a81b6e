/** Work that is done one piece at a time for each name, in the order in which it was asked for. */
export class Turns {
  /** The end of the last piece of each name, which never rejects. */
  readonly #last = new Map<string, Promise<void>>();

  /** Does a work once all work of the same name before it has ended, well or not. */
  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(name, promise);
    try {
      await before;
      return await work();
    } finally {
      if (this.#last.get(name) === promise) this.#last.delete(name);
      resolve();
    }
  }
}
