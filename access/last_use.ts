/** When credentials were last used: kept beside them, off the way of the requests. */
import { type CredentialCatalog, usePrecision } from "../catalog/credentials.ts";

/** Dependencies of the record of uses. */
export interface LastUseDeps {
  readonly credentials: Pick<CredentialCatalog, "used">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Called for a use that could not be kept; not again before one could. */
  readonly failed: (error: unknown) => void;
}

/** Takes note of uses. */
export interface LastUse {
  /** Takes note that a credential has proven a request. It never throws and waits for nothing. */
  saw(accessKeyId: string): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

/** Makes a record of uses. A use that is lost does no harm: the next one is kept. */
export function createLastUse({ credentials, now, failed }: LastUseDeps): LastUse {
  /** When a use of each credential was last written. There are as many as credentials. */
  const written = new Map<string, number>();
  const writing = new Set<Promise<void>>();
  let isFailing = false;

  async function write(accessKeyId: string, at: number): Promise<void> {
    try {
      await credentials.used(accessKeyId, at);
      isFailing = false;
    } catch (error) {
      if (!isFailing) failed(error);
      isFailing = true;
    }
  }

  return {
    saw(accessKeyId) {
      const at = now();
      const last = written.get(accessKeyId);
      if (last !== undefined && Math.abs(at - last) < usePrecision) return;
      written.set(accessKeyId, at);
      const work = write(accessKeyId, at);
      writing.add(work);
      work.finally(() => writing.delete(work));
    },
    async close() {
      await Promise.all(writing);
    },
  };
}
