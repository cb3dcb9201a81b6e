/**
 * How an account fares. One whose key is refused, or that has no quota, is set aside for a while: a
 * matter of choosing among accounts, which forbids nothing. It is kept in memory, for one process.
 */
import type { AccountHealth, AccountTrouble, SetAside } from "./provider.ts";

/** Dependencies of an account's health. */
export interface HealthDeps {
  readonly now: () => Date;
  /** Milliseconds of a clock that is never set; `now` where absent. */
  readonly uptime?: () => number;
  /** The account's key at present: a new one is not blamed for what the one before met. */
  readonly apiKey?: () => string;
  /** Writes to the operator's log. */
  readonly warn?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Clauses that say more than the usual ones. */
  readonly reasons?: Partial<Readonly<Record<AccountTrouble, string>>>;
}

/** An account's health, which learns from the answers to its calls. */
export interface KeptHealth extends AccountHealth {
  /** The provider refused a call for a reason that lies in the account. */
  refused(trouble: AccountTrouble, retryAfterMilliseconds: number | undefined): void;
  /** The provider answered; `spent`: it took work that costs money. */
  answered(spent: boolean): void;
}

/** The first time of being set aside, in milliseconds; each further one is twice as long. */
const first: Readonly<Record<AccountTrouble, number>> = { key: 30_000, quota: 60_000 };
/** No longer, so that a new key or credit is noticed without a restart. */
const longest = 15 * 60_000;

const usualReasons: Readonly<Record<AccountTrouble, string>> = {
  key: "the provider refuses its key",
  quota: "the provider says that it has no credit or quota left",
};

/** Starts to keep the health of an account. */
export function createHealth(
  provider: string,
  account: string,
  {
    now,
    uptime = () => now().getTime(),
    warn = () => {},
    apiKey = () => "",
    reasons: given = {},
  }: HealthDeps,
): KeptHealth {
  const reasons = { ...usualReasons, ...given };
  let trouble: AccountTrouble | undefined;
  let troubledKey = "";
  let times = 0;
  let until = 0;
  let isLeftOut = false;
  const after = (milliseconds: number) => new Date(now().getTime() + milliseconds);

  return {
    setAside(): SetAside | undefined {
      const left = until - uptime();
      if (trouble === undefined || left <= 0 || troubledKey !== apiKey()) return undefined;
      return { trouble, until: after(left), because: reasons[trouble] };
    },
    trouble: () => troubledKey === apiKey() ? trouble : undefined,
    leftOut(error) {
      if (isLeftOut) return;
      isLeftOut = true;
      warn("An account that refuses to answer is left out", { provider, account, error });
    },
    refused(reported, retryAfter) {
      const time = uptime();
      // Calls that were under way when the first was refused say nothing new.
      const isNewKey = troubledKey !== apiKey();
      if (trouble === reported && until > time && !isNewKey) return;
      if (trouble !== reported || isNewKey) times = 0;
      const wait = Math.max(first[reported] * 2 ** times, retryAfter ?? 0);
      trouble = reported;
      troubledKey = apiKey();
      const pause = Math.min(wait, longest);
      until = time + pause;
      // Logged once, not at each time that it fails again.
      if (times++ > 0) return;
      const fields = { provider, account, because: reasons[reported], until: after(pause) };
      warn("An account is set aside", fields);
    },
    answered(spent) {
      isLeftOut = false;
      // An account without credit still answers what costs nothing.
      if (trouble === undefined || (trouble === "quota" && !spent)) return;
      trouble = undefined;
      times = 0;
      warn("An account that was set aside is well again", { provider, account });
    },
  };
}
