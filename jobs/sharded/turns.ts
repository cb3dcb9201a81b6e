/**
 * Turns of the tenants at each account: which jobs wait to start batches there, and whose turn it is
 * when one can be started. Memory of one process; each sweep tries again what another one freed.
 */
import { nameOf, type ScopedJob } from "../deps.ts";

/** An account of a provider. */
export interface AccountName {
  readonly provider: string;
  readonly account: string;
}

/** A job that has batches to start. */
interface Waiting {
  readonly scoped: ScopedJob;
  readonly batches: number;
}

interface AccountTurns {
  readonly provider: string;
  /** Why nothing can be started now. */
  why: string | undefined;
  readonly waiting: Map<string, Waiting>;
  /** When each tenant was last served: a number that grows. */
  readonly served: Map<string, number>;
  starts: number;
  /** How many batches are known to have ended. */
  ends: number;
}

const othersFirst = "it is the turn of another job that waits for this account.";

/** Turns at all accounts. */
export class Turns {
  readonly #accounts = new Map<string, AccountTurns>();
  readonly #goOn: (scoped: ScopedJob) => void;

  /** @param goOn Goes on with a job whose turn it is. */
  constructor(goOn: (scoped: ScopedJob) => void) {
    this.#goOn = goOn;
  }

  /** Why a job's next batch is not to be started now; undefined where it is. */
  reason(name: AccountName, { scope: { tenant } }: ScopedJob): string | undefined {
    const { why, waiting, served } = this.#of(name);
    if (why !== undefined) return why;
    const mine = served.get(tenant) ?? 0;
    const isEarlier = ({ scoped: { scope } }: Waiting) =>
      scope.tenant !== tenant && (served.get(scope.tenant) ?? 0) < mine;
    return [...waiting.values()].some(isEarlier) ? othersFirst : undefined;
  }

  /** Whether a job that comes now is to wait its turn: the account is full, or other jobs wait for it. */
  hasQueue(name: AccountName): boolean {
    const { why, waiting } = this.#of(name);
    return why !== undefined || waiting.size > 0;
  }

  /** How many batches of an account have ended: to be given to `full` by who is about to start one. */
  ends(name: AccountName): number {
    return this.#of(name).ends;
  }

  /**
   * Notes that an account takes no batch until one of its batches ends.
   *
   * @param ends How many had ended before the attempt: where one has ended since, there may be room.
   */
  full(name: AccountName, why: string, ends?: number): void {
    const turns = this.#of(name);
    if (ends === undefined || ends === turns.ends) turns.why = why;
  }

  /** Notes that a batch of a tenant was started. */
  served(name: AccountName, { scope: { tenant } }: ScopedJob): void {
    const turns = this.#of(name);
    turns.served.set(tenant, ++turns.starts);
  }

  /** Notes that a job waits with so many batches. */
  wait(name: AccountName, scoped: ScopedJob, batches: number): void {
    this.#of(name).waiting.set(nameOf(scoped), { scoped, batches });
  }

  /** Whether a job waits for an account that takes no batch. */
  isHeldUp(scoped: ScopedJob): boolean {
    const job = nameOf(scoped);
    return this.#all().some(({ why, waiting }) => why !== undefined && waiting.has(job));
  }

  /** Notes that a job is being gone on with: it waits no more, unless it says so again. */
  leave(scoped: ScopedJob): void {
    for (const { waiting } of this.#all()) waiting.delete(nameOf(scoped));
  }

  /** Notes that a batch of an account is over: the next one can be started. */
  freed(name: AccountName): void {
    const turns = this.#of(name);
    turns.why = undefined;
    turns.ends++;
    this.#next(turns);
  }

  /** Lets all accounts be tried again. */
  freeAll(): void {
    for (const turns of this.#all()) turns.why = undefined;
    this.next();
  }

  /** Goes on with the job whose turn it is, at each account that takes batches. */
  next(): void {
    for (const turns of this.#all()) if (turns.why === undefined) this.#next(turns);
  }

  /** Batches that wait to be started, by the providers that take them. */
  waiting(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const { provider, waiting } of this.#all()) {
      for (const { batches } of waiting.values()) {
        found.set(provider, (found.get(provider) ?? 0) + batches);
      }
    }
    return found;
  }

  #next({ waiting, served }: AccountTurns): void {
    const last = ({ scoped }: Waiting) => served.get(scoped.scope.tenant) ?? 0;
    const [first] = [...waiting.values()].sort((a, b) => last(a) - last(b));
    if (first) this.#goOn(first.scoped);
  }

  #all(): AccountTurns[] {
    return [...this.#accounts.values()];
  }

  #of({ provider, account }: AccountName): AccountTurns {
    const name = JSON.stringify([provider, account]);
    const known = this.#accounts.get(name);
    if (known) return known;
    const turns: AccountTurns = {
      provider,
      why: undefined,
      waiting: new Map(),
      served: new Map(),
      starts: 0,
      ends: 0,
    };
    this.#accounts.set(name, turns);
    return turns;
  }
}
