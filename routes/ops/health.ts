/** Reports on the gateway for operators and load balancers. */
import { accountsOf } from "../../metrics/metrics.ts";
import type { Account, Provider } from "../../providers/provider.ts";
import { inTime } from "../../runtime/in_time.ts";
import { SingleFlight } from "../../runtime/single_flight.ts";
import { answerText } from "../text_answer.ts";

/** Dependencies of the readiness report. */
export interface HealthDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  /** Rejects where the catalog does not answer. */
  readonly checkCatalog: () => Promise<void>;
  /** Rejects where the catalog takes no commits; not tried where absent. */
  readonly checkCommit?: () => Promise<void>;
  /** What is wrong with the disks that the gateway writes to, by what is kept there. */
  readonly checkDisks?: () => Promise<Readonly<Record<string, string>>>;
  readonly isDraining: () => boolean;
  /**
   * How long each check is waited for, in milliseconds; {@linkcode defaultPatience} where absent.
   */
  readonly patienceMilliseconds?: number;
}

/** Why a gateway is not ready, in one word: what is wrong. */
export type Readiness = "ready" | "draining" | "catalog" | "disk" | "providers";

/** `/healthz`: the process serves. */
export function health(): Response {
  return answerStatus({ status: "ok" }, 200);
}

/** What was found out about a gateway. */
interface Report {
  readonly status: Readiness;
  readonly catalog: "ok" | "unavailable" | "not writable";
  readonly disk: "ok" | Readonly<Record<string, string>>;
  readonly providers: readonly Readonly<Record<string, unknown>>[];
}

/** `/readyz`: 200 or 503, and a word; the report itself for callers who may see it. */
export interface ReadinessPage {
  /** For callers who have proved who they are: as it is now. */
  whole(): Promise<Response>;
  /** For strangers: only the word. They share one look at the gateway a second. */
  word(): Promise<Response>;
  /** That word itself. */
  status(): Promise<Readiness>;
}

/**
 * A check that takes longer, in milliseconds, has failed: a commit waits on a file that is locked.
 */
const defaultPatience = 3_000;

/** Strangers see what was found out at most so long ago, in milliseconds. */
const strangersMilliseconds = 1_000;

/** Makes the page. @param uptime Milliseconds of a clock that is never set. */
export function createReadiness(
  deps: HealthDeps,
  uptime: () => number = () => performance.now(),
): ReadinessPage {
  const looking = new SingleFlight<Report>();
  const checks = createChecks(deps.patienceMilliseconds ?? defaultPatience);
  let last: { readonly status: Readiness; readonly at: number } | undefined;
  const look = async () => {
    const report = await looking.run("readiness", () => reportOn(deps, checks));
    last = { status: report.status, at: uptime() };
    return report;
  };
  const statusNow = async () => {
    const isRecent = last !== undefined && uptime() - last.at < strangersMilliseconds;
    const seen = isRecent && last ? last.status : (await look()).status;
    // Not from memory: a load balancer is to look elsewhere at once.
    return deps.isDraining() ? "draining" : seen;
  };
  return {
    async whole() {
      const report = await look();
      return answerStatus(report, httpStatus(report.status));
    },
    async word() {
      const status = await statusNow();
      return answerStatus({ status }, httpStatus(status));
    },
    status: statusNow,
  };
}

/** Checks with an end; one that is still under way is waited for again, and not begun again. */
type Checks = ReturnType<typeof createChecks>;

function createChecks(patience: number) {
  const flights = new SingleFlight<Readonly<Record<string, string>>>();
  const ended = (name: string, check: () => Promise<Readonly<Record<string, string>>>) =>
    inTime(flights.run(name, check), patience);
  return {
    async isWell(name: string, check: (() => Promise<void>) | undefined): Promise<boolean> {
      if (!check) return true;
      try {
        return await ended(name, async () => (await check(), {})) !== undefined;
      } catch {
        return false;
      }
    },
    async troubles(check: HealthDeps["checkDisks"]): Promise<Readonly<Record<string, string>>> {
      if (!check) return {};
      return await ended("disks", check).catch(() => ({ probe: "failing" })) ?? { probe: "silent" };
    },
  };
}

function httpStatus(status: Readiness): number {
  return status === "ready" ? 200 : 503;
}

/**
 * The catalog answers and takes commits, there is room on the disks, and a provider is usable. One
 * provider whose accounts are all set aside does not make the gateway unready while there are others:
 * it serves those, and what the catalog holds. The report shows it.
 */
async function reportOn(deps: HealthDeps, checks: Checks): Promise<Report> {
  const catalog = await checks.isWell("catalog", deps.checkCatalog) ? "ok" : "unavailable";
  // It notes what the disk says, which the next line asks for.
  const isWritable = catalog === "ok" && await checks.isWell("commit", deps.checkCommit);
  const disks = await checks.troubles(deps.checkDisks);
  const isRoomy = Object.keys(disks).length === 0;
  const isUsable = deps.providers.size === 0 ||
    [...deps.providers.values()].some((provider) => isWell(accountsOf(provider)));
  const status = deps.isDraining()
    ? "draining"
    : !isRoomy
    ? "disk"
    : !isWritable
    ? "catalog"
    : isUsable
    ? "ready"
    : "providers";
  return {
    status,
    catalog: catalog === "ok" && isRoomy && !isWritable ? "not writable" : catalog,
    disk: isRoomy ? "ok" : disks,
    providers: [...deps.providers.values()].map((provider) => ({
      name: provider.name,
      accounts: provider.stores?.accounts.map((account) => account.name) ?? [],
      ...statesOf(accountsOf(provider)),
    })),
  };
}

type Watched = Pick<Account, "name" | "health">;

/**
 * Returns whether any account is well; a provider whose accounts are not watched counts as well.
 */
function isWell(accounts: readonly Watched[]): boolean {
  return accounts.length === 0 || accounts.some(({ health }) => !health?.setAside());
}

/** Returns how accounts fare, by their names, and whether any of them is well. */
function statesOf(accounts: readonly Watched[]) {
  if (accounts.length === 0) return {};
  const states = accounts.map(({ name, health }): [string, string] => {
    const aside = health?.setAside();
    const state = aside
      ? `set aside until ${aside.until.toISOString()} because ${aside.because}`
      : "ok";
    return [name, state];
  });
  return {
    status: isWell(accounts) ? "ok" : "every account is set aside",
    states: Object.fromEntries(states),
  };
}

function answerStatus(body: unknown, status: number): Response {
  return answerText(JSON.stringify(body), { "content-type": "application/json" }, status);
}
