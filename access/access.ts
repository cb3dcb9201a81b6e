/** The access of a gateway: its credentials, and all that is done with them, from one catalog. */
import type { CredentialCatalog } from "../catalog/credentials.ts";
import type { QuotaCatalog } from "../catalog/quotas.ts";
import { checkFirstKey, firstCredential, type FirstKeySecret } from "./first_key.ts";
import type { Random } from "./issue.ts";
import { createKeyService, type KeyService, type KeyServiceDeps } from "./key_service.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { createLastUse, type LastUse } from "./last_use.ts";
import { checkSecretKey, sealingBox, type SealingDeps } from "./sealing.ts";
import { openBox, type SecretKeyOptions } from "./secret_key.ts";

/** Dependencies of the access. */
export interface AccessDeps {
  readonly catalog: SealingDeps & {
    readonly credentials: CredentialCatalog;
    readonly quotas: Pick<QuotaCatalog, "get">;
  };
  readonly secretKey: SecretKeyOptions;
  readonly config: {
    readonly firstKey?: FirstKeySecret;
    readonly providers: readonly { readonly name: string }[];
  };
  readonly firstLimit: NonNullable<KeyServiceDeps["firstLimit"]>;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that is never set. */
  readonly uptime: () => number;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** The access of a gateway. */
export interface Access {
  readonly keyring: Keyring;
  readonly lastUse: LastUse;
  readonly keys: KeyService;
  /** Throws a sentence where credentials cannot be checked as the environment says. */
  check(): Promise<void>;
}

/** Makes the access of a gateway. */
export function createAccess(deps: AccessDeps): Access {
  const { catalog, secretKey, config, firstLimit, random, now, uptime, warn } = deps;
  const { firstKey } = config;
  const { credentials } = catalog;
  return {
    keyring: createKeyring({
      catalog: credentials,
      box: () => openBox(secretKey),
      uptime,
      ...(firstKey && { first: firstCredential(firstKey) }),
      warn,
    }),
    lastUse: createLastUse({
      credentials,
      now,
      failed: (error) => warn("The last use of a key could not be recorded", { error }),
    }),
    keys: createKeyService({
      credentials,
      quotas: catalog.quotas,
      firstLimit,
      first: firstKey,
      providers: config.providers.map(({ name }) => name),
      box: () => sealingBox(catalog, secretKey),
      removedAll: () => catalog.sealing.set(undefined),
      random,
      now,
    }),
    async check() {
      await checkFirstKey(firstKey, credentials);
      await checkSecretKey(catalog, secretKey);
    },
  };
}
