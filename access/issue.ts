/** Issuing credentials: ids, secrets, and the two forms in which a secret is kept. */
import { createHash } from "node:crypto";
import type { SecretEntry } from "../catalog/credentials.ts";
import type { SecretBox } from "../codecs/secret_box.ts";

/** Secrets that the owner sees once. */
export interface IssuedSecret {
  readonly secretAccessKey: string;
  /** For `AWS_BEARER_TOKEN_BEDROCK`. */
  readonly bearerToken: string;
}

/** Fills an array with random bytes. */
export type Random = (bytes: Uint8Array) => Uint8Array;

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Without `+` and `/`, which must be escaped in too many places. */
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const idPrefix = "BWAK";
const tokenPrefix = "bwt";

/** A new access key id, of AWS's form: 20 upper-case letters and digits. */
export function newAccessKeyId(random: Random): string {
  return `${idPrefix}${draw(upper, 16, random)}`;
}

/** Returns whether an id is of the form of those that are issued here. */
export function isAccessKeyId(id: string): boolean {
  return /^BWAK[A-Z2-7]{16}$/.test(id);
}

/** Returns whether a text may hold such an id; nearly every text does not. */
export function mayHoldAccessKeyId(text: string): boolean {
  return text.includes(idPrefix);
}

/** Makes a secret: as its owner is shown it, and as the catalog keeps it. */
export async function newSecret(
  accessKeyId: string,
  box: SecretBox,
  random: Random,
  now: number,
): Promise<{ issued: IssuedSecret; record: SecretEntry }> {
  const secretAccessKey = draw(letters, 43, random);
  const bearerToken = `${tokenPrefix}-${accessKeyId}-${draw(letters, 43, random)}`;
  return {
    issued: { secretAccessKey, bearerToken },
    record: {
      sealed: await box.seal(accessKeyId, secretAccessKey),
      bearerHash: hashBearer(bearerToken),
      createdAt: now,
    },
  };
}

/** The bearer token of a first key: its id and its secret. */
export function bearerOf(accessKeyId: string, secret: string): string {
  return `${tokenPrefix}-${accessKeyId}-${secret}`;
}

/**
 * The access key id that a bearer token names; undefined for other texts. Of the first key its
 * secret, as the environment has it, stands where issued tokens have a text of their own.
 */
export function bearerOwner(token: string): string | undefined {
  const issued = /^bwt-(BWAK[A-Z2-7]{16})-[A-Za-z0-9]{43}$/.exec(token)?.[1];
  if (issued !== undefined) return issued;
  const first = /^bwt-(\w{16,128})-[A-Za-z0-9._~+/=-]{16,256}$/.exec(token)?.[1];
  return first === undefined || isAccessKeyId(first) ? undefined : first;
}

/** Returns what is kept of a bearer token. */
export function hashBearer(token: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(token).digest());
}

/** Random characters, each as likely as any other. */
function draw(alphabet: string, length: number, random: Random): string {
  const fair = 256 - 256 % alphabet.length;
  let text = "";
  while (text.length < length) {
    for (const byte of random(new Uint8Array(length))) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
