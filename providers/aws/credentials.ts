/** The gateway's own AWS credentials. */
import { Failure } from "../../codecs/failure.ts";
import type { Credentials } from "../../codecs/sigv4.ts";
import { SingleFlight } from "../../runtime/single_flight.ts";

/** Credentials that may end. */
export interface ExpiringCredentials extends Credentials {
  readonly expiration?: Date;
}

/** Dependencies of the search for credentials. */
export interface CredentialsDeps {
  /** The provider's name, for error texts. */
  readonly name: string;
  readonly env: (name: string) => string | undefined;
  readonly now: () => Date;
  /** Milliseconds of a clock that is never set; `now` where absent. */
  readonly uptime?: () => number;
  /** Looks for credentials outside the environment; the AWS default chain unless given. */
  readonly chain?: () => Promise<ExpiringCredentials>;
}

/** Finds the credentials; each call gives those that are good now. */
export interface OwnCredentials {
  (): Promise<Credentials>;
  /** AWS has refused them: unless they were found just now, the next call looks for others. */
  refused(): void;
}

/** Roles are renewed this early, so that no request is signed with credentials about to end. */
const renewBefore = 5 * 60_000;
/** Credentials that were refused are looked for again after this time at the earliest. */
const refusedAfter = 30_000;

/**
 * Finds credentials: keys in the environment, else the AWS default chain (profiles, SSO, web
 * identity, container and instance roles), which is loaded when it is first needed.
 *
 * Callers at the same time share one look-up, found ones are kept until 5 minutes before their
 * end (longer, up to that end, while renewing fails), and a failed look-up is not kept. Throws
 * `denied` where nothing is found.
 */
export function createCredentials(deps: CredentialsDeps): OwnCredentials {
  const { name, env, now, uptime = () => now().getTime(), chain = defaultChain } = deps;
  let kept: ExpiringCredentials | undefined;
  /** When they end, by a clock that is never set: they last for so long, whatever the date. */
  let end = Infinity;
  let foundAt = 0;
  let isRefused = false;
  const pending = new SingleFlight<ExpiringCredentials>();

  const lookUp = async () => {
    try {
      kept = await chain();
      const left = kept.expiration && kept.expiration.getTime() - now().getTime();
      end = left === undefined ? Infinity : uptime() + left;
      foundAt = uptime();
      isRefused = false;
      return kept;
    } catch (cause) {
      if (kept?.expiration !== undefined && uptime() < end) return kept;
      throw new Failure(
        "denied",
        `Provider "${name}" has no AWS credentials. Set AWS_ACCESS_KEY_ID and ` +
          "AWS_SECRET_ACCESS_KEY, a profile with AWS_PROFILE, or run the gateway with a role.",
        { cause },
      );
    }
  };

  const find = async () => {
    const fromEnv = environmentKeys(name, env);
    if (fromEnv !== undefined) return fromEnv;
    if (kept !== undefined && !isRefused && uptime() < end - renewBefore) return kept;
    return await pending.run("credentials", lookUp);
  };
  const refused = () => {
    if (uptime() - foundAt >= refusedAfter) isRefused = true;
  };
  return Object.assign(find, { refused });
}

function environmentKeys(
  name: string,
  env: (name: string) => string | undefined,
): Credentials | undefined {
  const accessKeyId = env("AWS_ACCESS_KEY_ID") || undefined;
  const secretAccessKey = env("AWS_SECRET_ACCESS_KEY") || undefined;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY";
    throw new Failure(
      "denied",
      `Provider "${name}" has half of its AWS credentials: ${missing} is not set. Set it too.`,
    );
  }
  const sessionToken = env("AWS_SESSION_TOKEN");
  return { accessKeyId, secretAccessKey, ...sessionToken ? { sessionToken } : {} };
}

async function defaultChain(): Promise<ExpiringCredentials> {
  // Loaded late: parts of the AWS SDK cost 75 ms at start.
  const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  return await fromNodeProviderChain()();
}
