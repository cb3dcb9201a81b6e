/** What lets clients begin with something, or keeps all of them from it for a while. */

/** The turnstile. */
export interface Turnstile {
  /** Does a work, once it may begin. */
  pass(work: () => Promise<void>): Promise<void>;
  /** Lets nobody begin any more, and resolves once nobody is at work; what it gives opens it again. */
  close(): Promise<() => void>;
}

/** Makes one that is open. */
export function createTurnstile(): Turnstile {
  let gate = Promise.resolve();
  const working = new Set<Promise<void>>();
  return {
    async pass(work) {
      for (let seen; seen !== gate;) await (seen = gate);
      const done = work();
      working.add(done);
      try {
        await done;
      } finally {
        working.delete(done);
      }
    },
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      await Promise.allSettled(working);
      return resolve;
    },
  };
}
