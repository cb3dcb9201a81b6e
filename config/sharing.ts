/** What the configuration says of other gateways beside this one: the catalog and the port. */
import { type ConfigError, isBaseUrl } from "./file.ts";
import type { Env } from "./providers.ts";

/** Where the catalog is, and whether only this process uses the port. */
export interface Sharing {
  /** A file in the data folder, the KV database of Deno Deploy, or the URL of a server. */
  readonly catalog: "file" | "deploy" | URL;
  /** Whether other processes may listen on the same port. */
  readonly reusePort: boolean;
  /**
   * Set on Deno Deploy, which sends strangers to every program: what that listens on there says
   * nothing of who reaches it.
   */
  readonly isPublic?: true;
}

/** Reads what the environment says of sharing. */
export function sharingOf(env: Env, errors: ConfigError[]): Sharing {
  if (isDeploy(env)) errors.push(...portErrors(env));
  return {
    catalog: catalogOf(env, errors),
    reusePort: reusePortOf(env, errors),
    ...(isDeploy(env) && { isPublic: true as const }),
  };
}

/** Ports are the platform's to choose: what listens on another one there is reached by no one. */
function portErrors(env: Env): ConfigError[] {
  const message = "cannot be set on Deno Deploy, which gives each program one address: remove it";
  const instead: Readonly<Record<string, string>> = {
    BATCHWAY_PORT: "",
    BATCHWAY_S3_PORT: ". S3 is at /bedrock/files there",
    BATCHWAY_ADMIN_PORT: ". /metrics and the report of /readyz take an access key there",
  };
  return Object.entries(instead)
    .filter(([place]) =>
      env(place) !== undefined && !(place === "BATCHWAY_PORT" && env(place) === "0")
    )
    .map(([place, more]) => ({ place, message: `${message}${more}` }));
}

function catalogOf(env: Env, errors: ConfigError[]): Sharing["catalog"] {
  const text = env("BATCHWAY_CATALOG");
  // A file there is lost with its instance, which ends some minutes after its last request.
  if (text === undefined) return isDeploy(env) ? "deploy" : "file";
  if (text === "deploy") return text;
  if (!isBaseUrl(text)) {
    errors.push({
      place: "BATCHWAY_CATALOG",
      message: "must be the URL of a KV Connect server, such as https://kv.example, or deploy",
    });
    return "file";
  }
  if (env("DENO_KV_ACCESS_TOKEN") === undefined) {
    errors.push({
      place: "DENO_KV_ACCESS_TOKEN",
      message: "is missing; the server of BATCHWAY_CATALOG asks for it",
    });
  }
  return new URL(text);
}

function reusePortOf(env: Env, errors: ConfigError[]): boolean {
  const text = env("BATCHWAY_REUSE_PORT");
  if (text === undefined || text === "0") return false;
  const isAny = env("BATCHWAY_PORT") === "0" || env("BATCHWAY_S3_PORT") === "0";
  if (text !== "1") errors.push({ place: "BATCHWAY_REUSE_PORT", message: "must be 1 or 0" });
  else if (isAny) {
    errors.push({
      place: "BATCHWAY_REUSE_PORT",
      message: "needs explicit ports: each process would take another one for port 0",
    });
  }
  return true;
}

/**
 * The address that is really listened on: `DENO_SERVE_ADDRESS` wins over what is configured, as
 * Deno.serve goes by it (2.9.6).
 */
export function hostOf(env: Env): string {
  const given = env("DENO_SERVE_ADDRESS");
  if (given !== undefined) return /^tcp:\[?(.*?)\]?:[0-9]+$/.exec(given)?.[1] || anyAddress;
  return isDeploy(env) ? anyAddress : env("BATCHWAY_HOST") ?? "127.0.0.1";
}

/** Either name may be set: Deno Deploy's present and former platform. */
function isDeploy(env: Env): boolean {
  return env("DENO_DEPLOY") !== undefined || env("DENO_DEPLOYMENT_ID") !== undefined;
}

const anyAddress = "0.0.0.0";
