/** That secrets are sealed and opened under the key that the catalog knows, and under no other. */
import { calledAs } from "../runtime/program_name.ts";
import type { CredentialCatalog } from "../catalog/credentials.ts";
import type { SealingCatalog } from "../catalog/sealing.ts";
import { Failure } from "../codecs/failure.ts";
import type { SecretBox } from "../codecs/secret_box.ts";
import { keyFile, openBox, openOrMakeBox, type SecretKeyOptions } from "./secret_key.ts";

/** A mark of the key that the catalog's secrets are sealed under. */
export interface SealingDeps {
  readonly credentials: Pick<CredentialCatalog, "all">;
  readonly sealing: SealingCatalog;
}

/**
 * Whose key a box has: the catalog's own; another one than that; one of which the catalog knows
 * nothing, which holds no secret either.
 */
type Proof = "own" | "other" | "new";

/**
 * Opens the box of the catalog's key for a gateway. Throws a sentence that says what to do where
 * credentials were sealed under another key than the one that there is, or there is none: their
 * owners could not sign with them.
 */
export async function checkSecretKey(
  catalog: SealingDeps,
  options: SecretKeyOptions,
): Promise<void> {
  const box = await openBox(options);
  if (!box) {
    if (await holdsSecrets(catalog)) throw missing(options);
    return;
  }
  const proof = await prove(catalog, box);
  if (proof === "other" && await holdsSecrets(catalog)) throw other(options);
  // Nothing is lost with a key that sealed nothing: from now on it is this one.
  if (proof !== "own") await catalog.sealing.set(box.fingerprint);
}

/**
 * The box to seal new secrets with: of the catalog's key, or, where it has none yet, of one that is
 * made and kept in the folder. Throws a sentence where there is another key, or the catalog's is
 * missing: a new one would make all other credentials useless.
 */
export async function sealingBox(
  catalog: SealingDeps,
  options: SecretKeyOptions,
): Promise<SecretBox> {
  const found = await openBox(options);
  if (!found && await holdsSecrets(catalog)) throw missing(options);
  if (!found && await catalog.sealing.get() !== undefined) throw elsewhere(options);
  const box = found ?? await openOrMakeBox(options);
  const proof = await prove(catalog, box);
  if (proof === "other" && await holdsSecrets(catalog)) throw other(options);
  if (proof !== "own") await catalog.sealing.set(box.fingerprint);
  return box;
}

async function prove(catalog: SealingDeps, box: SecretBox): Promise<Proof> {
  const known = await catalog.sealing.get();
  if (known !== undefined) return known === box.fingerprint ? "own" : "other";
  // A catalog of before there were fingerprints: what its secrets open under is its key.
  let isAny = false;
  for (const { accessKeyId, record: { secrets } } of await catalog.credentials.all()) {
    for (const { sealed } of secrets) {
      isAny = true;
      if (await box.open(accessKeyId, sealed) === undefined) continue;
      await catalog.sealing.set(box.fingerprint);
      return "own";
    }
  }
  return isAny ? "other" : "new";
}

async function holdsSecrets({ credentials }: SealingDeps): Promise<boolean> {
  return (await credentials.all()).some(({ record }) => record.secrets.length > 0);
}

const wayOut = (): string =>
  `If it is lost, so are the secrets that it sealed: remove every credential with \`${
    calledAs("keys")
  } ` +
  "remove ID`, and issue new ones";

function missing(options: SecretKeyOptions): Failure {
  return new Failure(
    "conflict",
    `The key that sealed the credentials' secrets is missing. ${restore(options)}. ${wayOut()}`,
  );
}

function elsewhere(options: SecretKeyOptions): Failure {
  return new Failure(
    "conflict",
    `A gateway of this catalog has a secret key that is not here. ${
      restore(options)
    }; or set it to ` +
      "a new one, here and for the gateway",
  );
}

function other(options: SecretKeyOptions): Failure {
  return new Failure(
    "conflict",
    `${options.configured ? "BATCHWAY_SECRET_KEY" : keyFile(options)} is not the key that sealed ` +
      `the credentials' secrets. ${restore(options)}. ${wayOut()}`,
  );
}

function restore(options: SecretKeyOptions): string {
  const file = keyFile(options);
  return "Set BATCHWAY_SECRET_KEY to the key that the gateway had" +
    (file === undefined
      ? ""
      : `, or bring ${file} back from a backup and leave the variable unset`);
}
