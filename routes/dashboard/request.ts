/** Requests for the dashboard's pages, and what the pages are made from. */
import type { KeyService } from "../../access/key_service.ts";
import type { UsageRows } from "../../accounts/sum.ts";
import type { Tokens } from "../../codecs/page_token.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import type { Objects } from "../../objects/objects.ts";
import type { DashboardRecords } from "./records.ts";
import type { AuthenticateDeps } from "../authenticate.ts";
import type { BodyDeps } from "../body.ts";
import type { Broken, Context } from "../context.ts";
import type { HealthDeps } from "../ops/health.ts";
import type { RecentRefusals } from "../ops/refusals.ts";
import type { SelectDeps } from "../select_provider.ts";

/** Dependencies of the dashboard. */
export interface DashboardDeps extends AuthenticateDeps, BodyDeps, HealthDeps, SelectDeps {
  readonly jobs: Jobs;
  readonly objects: Objects;
  readonly tokens: Tokens;
  readonly broken: Broken;
  readonly refusals: RecentRefusals;
  /** Whether `X-Forwarded-Proto` and `X-Forwarded-For` are a proxy's own words. */
  readonly trustProxy?: boolean;
  /** The largest object that may be put, in bytes. */
  readonly maxBodyBytes: number;
  readonly records: DashboardRecords;
  readonly keys: KeyService;
  readonly usage: UsageRows;
  /** Milliseconds of a clock that is never set. */
  readonly uptime: () => number;
}

/** A request for a page. */
export interface PageRequest extends Context {
  readonly deps: DashboardDeps;
  /** Parameters of the query; the first of each name. */
  readonly query: ReadonlyMap<string, string>;
  /** Fields of the form that was sent; empty for a GET. */
  readonly form: ReadonlyMap<string, string>;
  /** What each form of the page must send back. */
  readonly formToken: string;
}

/** Answers a request for a page. */
export type PageHandler = (request: PageRequest) => Response | Promise<Response>;

/** Where the pages are. The list of jobs is at `/`. */
export const paths = {
  jobs: "/",
  job: "/dashboard/job",
  objects: "/dashboard/objects",
  object: "/dashboard/object",
  download: "/dashboard/download",
  providers: "/dashboard/providers",
  keys: "/dashboard/keys",
  usage: "/dashboard/usage",
  refused: "/dashboard/refused",
  signIn: "/dashboard/sign-in",
  signOut: "/dashboard/sign-out",
  stop: "/dashboard/stop",
  rerun: "/dashboard/run-again",
  /** Streams of what changes. */
  live: "/dashboard/live",
  style: "/dashboard/style.css",
  script: "/dashboard/live.js",
} as const;

/** A path with a query; parameters that are undefined or empty are left out. */
export function link(
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, value);
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

/** Reads the fields of a query or a form; the first of each name. */
export function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!fields.has(name)) fields.set(name, value);
  }
  return fields;
}
