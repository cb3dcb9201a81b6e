/**
 * A KV whose commits go together.
 *
 * Each commit waits for the disk and costs a transaction, 0.1 to 0.3 ms of CPU, whatever it holds;
 * eight in one transaction cost a fourth to a fifth each (measured with Deno 2.9.6, 30 November
 * 2026). So what is to be committed while a commit is under way goes together into the next: no step
 * waits for a group to fill, and a single one is committed by itself.
 *
 * Each step still happens as a whole or not at all. Where a group does not go through, because of a
 * check of one of its steps or a limit that they pass together, each is tried by itself.
 */
import { isLocked, kvOver } from "./kv.ts";
import { keyText } from "./key_text.ts";

type Outcome = Deno.KvCommitResult | Deno.KvCommitError;
/** Watches which commits are under way. */
export interface CommitWatch {
  began(): void;
  /** @param written The keys that it wrote; undefined where it did not go through, or may not have. */
  ended(written: readonly Deno.KvKey[] | undefined): void;
}

type Commit = (
  checks: readonly Deno.AtomicCheck[],
  mutations: readonly Deno.KvMutation[],
) => Promise<Outcome>;

/** A step that waits for its commit. */
interface Waiting {
  readonly checks: readonly Deno.AtomicCheck[];
  readonly mutations: readonly Deno.KvMutation[];
  readonly succeed: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

/** Steps in one group. */
const maxSteps = 32;
/** Below the 100 checks, 1,000 mutations and 819,200 bytes that Deno KV allows in one commit. */
const maxTogether = { checks: 90, mutations: 900, bytes: 600_000 };
/** What a value counts that is not bytes: most records are shorter, and few much longer. */
const assumedBytes = 4096;

/** Makes a KV that commits what waits in groups; for a catalog in a file of this machine. */
export function groupCommits(below: Deno.Kv, watch?: CommitWatch): Deno.Kv {
  const kv = watch ? watched(below, watch) : below;
  let waiting: Waiting[] = [];
  let isAtWork = false;

  const commit: Commit = (checks, mutations) => {
    const { promise, resolve: succeed, reject: fail } = Promise.withResolvers<Outcome>();
    waiting.push({ checks, mutations, succeed, fail });
    if (!isAtWork) void work();
    return promise;
  };

  async function work(): Promise<void> {
    isAtWork = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, lengthOf(waiting));
      waiting = waiting.slice(group.length);
      if (!await commitTogether(kv, group)) {
        for (const step of group) await commitAlone(kv, step);
      }
    }
    isAtWork = false;
  }

  async function written(mutation: Deno.KvMutation): Promise<Deno.KvCommitResult> {
    const outcome = await commit([], [mutation]);
    if (outcome.ok) return outcome;
    throw new Error("A write without a check was refused");
  }

  return kvOver(kv, {
    set: (key, value, options) => written({ type: "set", key, value, ...options }),
    async delete(key) {
      await written({ type: "delete", key });
    },
    atomic: () => new RecordedStep(commit),
  });
}

/**
 * Returns how many of these go together; one that cannot even be looked at must not keep all
 * waiting.
 */
function lengthOf(waiting: readonly Waiting[]): number {
  try {
    return groupLength(waiting);
  } catch {
    return 1; // Its own commit says what is wrong with it.
  }
}

/**
 * Returns how many of these go together: at least one, in their order, and none that needs
 * another's outcome.
 */
function groupLength(waiting: readonly Waiting[]): number {
  if (waiting.length === 1) return 1;
  const written = new Set<string>();
  let [checks, mutations, bytes] = [0, 0, 0];
  for (const [at, step] of waiting.entries()) {
    checks += step.checks.length;
    mutations += step.mutations.length;
    for (const mutation of step.mutations) bytes += bytesOf(mutation);
    const isTooMuch = at === maxSteps || checks > maxTogether.checks ||
      mutations > maxTogether.mutations || bytes > maxTogether.bytes;
    // Checks look at what was there before the group: a step that checks what an earlier one writes
    // would be answered wrongly that no other was faster.
    const hangsOn = () => step.checks.some(({ key }) => written.has(keyText(key)));
    if (at > 0 && (isTooMuch || hangsOn())) return at;
    for (const { key } of step.mutations) written.add(keyText(key));
  }
  return waiting.length;
}

function bytesOf(mutation: Deno.KvMutation): number {
  if (mutation.type === "delete") return 0;
  const { value } = mutation;
  return value instanceof Uint8Array ? value.length : assumedBytes;
}

/** A KV whose steps are watched, of which one is committed at a time. */
function watched(kv: Deno.Kv, watch: CommitWatch): Deno.Kv {
  const commit: Commit = async (checks, mutations) => {
    let written: readonly Deno.KvKey[] | undefined;
    watch.began();
    try {
      const outcome = await kv.atomic().check(...checks).mutate(...mutations).commit();
      if (outcome.ok) written = mutations.map(({ key }) => key);
      return outcome;
    } finally {
      watch.ended(written);
    }
  };
  return kvOver(kv, { atomic: () => new RecordedStep(commit) });
}

/** Commits a group; false where each step has to be tried by itself. */
async function commitTogether(kv: Deno.Kv, group: readonly Waiting[]): Promise<boolean> {
  if (group.length === 1) return false;
  try {
    const together = kv.atomic();
    for (const { checks, mutations } of group) together.check(...checks).mutate(...mutations);
    const outcome = await together.commit();
    if (outcome.ok) { for (const { succeed } of group) succeed(outcome); }
    return outcome.ok;
  } catch (error) {
    if (!isLocked(error)) return false;
    // Another process has the file. A step with a check is refused then, and tried again after a
    // while by its sender; one without waits for its turn (Deno 2.9.6).
    for (const step of group) {
      if (step.checks.length > 0) step.fail(error);
      else await commitAlone(kv, step);
    }
    return true;
  }
}

async function commitAlone(kv: Deno.Kv, step: Waiting): Promise<void> {
  try {
    step.succeed(await kv.atomic().check(...step.checks).mutate(...step.mutations).commit());
  } catch (error) {
    step.fail(error);
  }
}

/** Notes what a step is made of until it is committed. */
class RecordedStep implements Deno.AtomicOperation {
  readonly #checks: Deno.AtomicCheck[] = [];
  readonly #mutations: Deno.KvMutation[] = [];
  readonly #commit: Commit;

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  check(...checks: Deno.AtomicCheck[]): this {
    this.#checks.push(...checks);
    return this;
  }

  mutate(...mutations: Deno.KvMutation[]): this {
    this.#mutations.push(...mutations);
    return this;
  }

  set(key: Deno.KvKey, value: unknown, options?: { expireIn?: number }): this {
    return this.mutate({ type: "set", key, value, ...options });
  }

  delete(key: Deno.KvKey): this {
    return this.mutate({ type: "delete", key });
  }

  sum(key: Deno.KvKey, n: bigint): this {
    return this.mutate({ type: "sum", key, value: new Deno.KvU64(n) });
  }

  min(key: Deno.KvKey, n: bigint): this {
    return this.mutate({ type: "min", key, value: new Deno.KvU64(n) });
  }

  max(key: Deno.KvKey, n: bigint): this {
    return this.mutate({ type: "max", key, value: new Deno.KvU64(n) });
  }

  /** The catalog has no queue: over KV Connect there is none. */
  enqueue(): never {
    throw new TypeError("A step of the catalog cannot enqueue");
  }

  commit(): Promise<Outcome> {
    return this.#commit(this.#checks, this.#mutations);
  }
}
