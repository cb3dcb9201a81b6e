/** Choosing among a provider's accounts, and asking all of them. */
import { Failure } from "../codecs/failure.ts";
import type { Account, StoringProvider } from "../providers/provider.ts";

/** An account for something new, drawn by weight among those that are well, or among all if none is. */
export function pickAccount(provider: StoringProvider, random: () => number): Account {
  const well = provider.accounts.filter((one) => !one.health?.setAside() && one.weight > 0);
  const accounts = well.length > 0 ? well : provider.accounts;
  const total = accounts.reduce((sum, one) => sum + one.weight, 0);
  let drawn = random() * total;
  for (const account of accounts) {
    drawn -= account.weight;
    if (drawn < 0) return account;
  }
  const last = accounts.at(-1);
  if (!last) throw new Failure("internal", `The provider ${provider.name} has no account`);
  return last;
}

/**
 * Asks one account after the other, and yields what each answers. One that denies the gateway its
 * answer is left out while others are well: a bad key must not hide what is on other accounts. What
 * else goes wrong is thrown, for it may go well the next time.
 *
 * Throws the denial where every account denies.
 */
export async function* askAccounts<Result>(
  { accounts }: StoringProvider,
  ask: (account: Account) => Promise<Result>,
): AsyncGenerator<Result> {
  // Without credit an account still lists what it holds.
  const trusted = accounts.filter(({ health }) => health?.setAside()?.trouble !== "key");
  let denial: Failure | undefined;
  let answers = 0;
  for (const account of trusted.length > 0 ? trusted : accounts) {
    let answer: Result;
    try {
      answer = await ask(account);
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== "denied") throw error;
      account.health?.leftOut(error);
      denial ??= error;
      continue;
    }
    answers++;
    yield answer;
  }
  if (denial && answers === 0) throw denial;
}

/** Returns whether new work of the provider's could go to another account than this one. */
export function hasOthers({ accounts }: StoringProvider, account: Account): boolean {
  return accounts.some((one) => one !== account && one.weight > 0 && !one.health?.setAside());
}

/**
 * The refusal of an account that something is bound to, which no other account can stand in for:
 * where there are several, it must say which one. What does not concern the account comes back as it
 * is.
 */
export function boundTo(
  { name, accounts }: StoringProvider,
  account: string,
  error: unknown,
  { what, advice }: { readonly what: string; readonly advice: string },
): unknown {
  const isOfAccount = error instanceof Failure && error.details.account !== undefined;
  if (!isOfAccount || accounts.length === 1) return error;
  return new Failure(
    error.kind,
    `${what} is on the account ${account} of ${name}, which is set aside: ${error.message} ${advice}`,
    { ...error.details, cause: error },
  );
}
