/**
 * The credentials as a running gateway knows them: read from the catalog, opened, and kept for a
 * few seconds, so that a request costs no read of the catalog.
 */
import type {
  CredentialCatalog,
  CredentialEntry,
  NamedCredential,
} from "../catalog/credentials.ts";
import { limitsOf } from "../catalog/limits.ts";
import { Failure } from "../codecs/failure.ts";
import type { SecretBox } from "../codecs/secret_box.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import type { Policy } from "./policy.ts";

/** A credential with its secrets, as requests are checked against it. */
export interface Credential {
  readonly accessKeyId: string;
  readonly policy: Policy;
  readonly disabled: boolean;
  readonly expiresAt: number | undefined;
  /** Secret access keys that are good: one, or two after a rotation. */
  readonly secrets: readonly string[];
  /** SHA-256 of the bearer tokens that are good. */
  readonly bearerHashes: readonly Uint8Array[];
}

/** Dependencies of a keyring. */
export interface KeyringDeps {
  readonly catalog: Pick<CredentialCatalog, "all" | "version">;
  /** Opens secrets; undefined where the gateway has no key for it. Asked when it is needed. */
  readonly box: () => Promise<SecretBox | undefined>;
  /** Milliseconds of a clock that is never set: one that is set back would keep old keys good. */
  readonly uptime: () => number;
  /** A credential that is good beside those of the catalog, and is kept nowhere. */
  readonly first?: Credential;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** The credentials. */
export interface Keyring {
  /** Whether there is any credential, good or not: then every request must show one. */
  hasAny(): Promise<boolean>;
  /** The credential of this id, disabled or expired ones too. */
  find(accessKeyId: string): Promise<Credential | undefined>;
  /**
   * Looks at the catalog now; whether any credential has changed since the last look. For a request
   * that is about to be refused: its credential was perhaps issued, or rotated, this very moment.
   */
  reread(): Promise<boolean>;
}

/** A change is looked for when a request comes and the last look is so long ago, in milliseconds. */
const freshFor = 3_000;
/**
 * A credential that was read is good for so long where the catalog does not answer (docs/keys.md:
 * 10 s).
 */
const goodFor = 10_000;

/** Makes a keyring. Nothing runs in the background: each request looks, where it is time. */
export function createKeyring({ catalog, box, uptime, first, warn }: KeyringDeps): Keyring {
  let known: ReadonlyMap<string, Credential> = new Map();
  let version: string | undefined;
  let readAt = -Infinity;
  const reading = new SingleFlight<void>();

  return {
    async hasAny() {
      if (first) return true;
      await refresh(freshFor);
      return known.size > 0;
    },
    async find(accessKeyId) {
      if (accessKeyId === first?.accessKeyId) return first;
      await refresh(freshFor);
      return known.get(accessKeyId);
    },
    async reread() {
      const before = version;
      await refresh(0);
      return version !== before;
    },
  };

  async function refresh(maxAge: number): Promise<void> {
    if (uptime() - readAt < maxAge) return;
    try {
      await reading.run("credentials", read);
    } catch (error) {
      if (uptime() - readAt < goodFor) return;
      throw new Failure(
        "unavailable",
        "The gateway cannot read its credentials at the moment. Try again",
        { retryAfterSeconds: 1, cause: error },
      );
    }
  }

  async function read(): Promise<void> {
    const startedAt = uptime();
    const current = await catalog.version();
    // The version is read first: a change in between is seen again the next time.
    if (current !== version) {
      known = await openAll(await catalog.all());
      version = current;
    }
    readAt = startedAt;
  }

  async function openAll(
    credentials: readonly NamedCredential[],
  ): Promise<ReadonlyMap<string, Credential>> {
    if (credentials.length === 0) return new Map();
    const opener = await box();
    const opened = await Promise.all(credentials.map(async ({ accessKeyId, record }) => {
      const secrets = await Promise.all(record.secrets.map(async ({ sealed, bearerHash }) => ({
        secret: await opener?.open(accessKeyId, sealed),
        bearerHash,
      })));
      const good = secrets.filter((one): one is OpenedSecret => one.secret !== undefined);
      if (good.length < secrets.length) {
        warn(
          "A credential's secret cannot be opened: BATCHWAY_SECRET_KEY is not the one that sealed it",
          {
            accessKeyId,
          },
        );
      }
      return [accessKeyId, credentialOf(accessKeyId, record, good)] as const;
    }));
    return new Map(opened);
  }
}

/** A secret that was sealed under the gateway's key; a bearer token is not better than that. */
interface OpenedSecret {
  readonly secret: string;
  readonly bearerHash: Uint8Array;
}

function credentialOf(
  accessKeyId: string,
  record: CredentialEntry,
  good: readonly OpenedSecret[],
): Credential {
  const { tenant, label, admin, providers, defaultProvider, buckets, readOnly, native } = record;
  const limits = limitsOf(record);
  return {
    accessKeyId,
    policy: {
      tenant,
      providers,
      readOnly,
      native,
      ...(label !== undefined && { label }),
      ...(admin === true && { admin }),
      ...(defaultProvider !== undefined && { defaultProvider }),
      ...(buckets && { buckets }),
      ...(limits && { limits }),
    },
    disabled: record.disabled,
    expiresAt: record.expiresAt,
    secrets: good.map(({ secret }) => secret),
    bearerHashes: good.map(({ bearerHash }) => bearerHash),
  };
}
