/** The key that the environment names: it may do everything, and is kept nowhere. */
import type { CredentialCatalog } from "../catalog/credentials.ts";
import { anonymousTenant } from "../catalog/keys.ts";
import { calledAs } from "../runtime/program_name.ts";
import { bearerOf, hashBearer } from "./issue.ts";
import type { Credential } from "./keyring.ts";

/** What the environment says of it. */
export interface FirstKeySecret {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Returns what can be shown of the first key, which works at all providers. */
export function firstKeyFacts({ accessKeyId }: FirstKeyName, providers: readonly string[]) {
  const { policy, disabled } = firstCredential({ accessKeyId, secretAccessKey: "" });
  return { accessKeyId, ...policy, providers, disabled, secrets: [] };
}

/** The id of the first key. */
export type FirstKeyName = Pick<FirstKeySecret, "accessKeyId">;

/**
 * The credential of the first key. Its tenant is that of a gateway without keys, so that what was
 * made before stays within reach.
 */
export function firstCredential({ accessKeyId, secretAccessKey }: FirstKeySecret): Credential {
  return {
    accessKeyId,
    policy: {
      tenant: anonymousTenant,
      label: "BATCHWAY_ADMIN_KEY_ID",
      admin: true,
      readOnly: false,
      native: true,
    },
    disabled: false,
    expiresAt: undefined,
    secrets: [secretAccessKey],
    bearerHashes: [hashBearer(bearerOf(accessKeyId, secretAccessKey))],
  };
}

/** Throws a sentence where a key of that id was issued: it would not be known which of them signs. */
export async function checkFirstKey(
  firstKey: FirstKeySecret | undefined,
  credentials: Pick<CredentialCatalog, "all">,
): Promise<void> {
  if (!firstKey) return;
  const { accessKeyId } = firstKey;
  if (!(await credentials.all()).some((one) => one.accessKeyId === accessKeyId)) return;
  throw new Error(
    `BATCHWAY_ADMIN_KEY_ID is ${accessKeyId}, and a key of that id was issued. Choose another id, ` +
      `or remove that key with '${calledAs(`keys remove ${accessKeyId}`)}'`,
  );
}
