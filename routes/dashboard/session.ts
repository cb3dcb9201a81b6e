/**
 * Sessions of people who have signed in: a cookie that is sealed under a secret of the catalog, so
 * that every process of the gateway knows it and none has to keep it. It names the access key and a
 * fingerprint of its secrets, so it ends with the key, and with a rotation.
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { bearerOwner, hashBearer } from "../../access/issue.ts";
import type { Credential, Keyring } from "../../access/keyring.ts";
import type { Tokens } from "../../codecs/page_token.ts";
import { checkGood, principalOf } from "../auth/credential_check.ts";
import { refuse } from "../auth/refusals.ts";
import type { Principal } from "../context.ts";

/** Dependencies of sessions. */
export interface SessionDeps {
  readonly keyring: Keyring;
  readonly tokens: Tokens;
  /** Milliseconds since 1970, the latest that it may be. */
  readonly now: () => number;
}

/** A session, as its cookie holds it. */
export interface Session {
  readonly principal: Principal;
  /** The cookie's value. */
  readonly value: string;
}

/** Name of the cookie. */
const cookieName = "batchway_session";
/** How long a session lasts, in milliseconds. */
const sessionMilliseconds = 8 * 3_600_000;
const tokenKind = "dashboard-session";
/** Longer secrets are not looked at. */
const longestSecret = 256;

/** The session of a request's cookie; undefined where there is none that is good now. */
export async function sessionOf(
  deps: SessionDeps,
  headers: Headers,
): Promise<Session | undefined> {
  const value = cookieIn(headers);
  const opened = value === undefined ? undefined : deps.tokens.open(tokenKind, value);
  if (value === undefined || !Array.isArray(opened)) return undefined;
  const [accessKeyId, fingerprint, until] = opened;
  if (typeof accessKeyId !== "string" || typeof until !== "number") return undefined;
  const now = deps.now();
  if (now >= until) return undefined;
  const credential = await deps.keyring.find(accessKeyId);
  if (!credential || credential.disabled || fingerprintOf(credential) !== fingerprint) {
    return undefined;
  }
  if (credential.expiresAt !== undefined && now >= credential.expiresAt) return undefined;
  return { principal: principalOf(credential, undefined), value };
}

function cookieIn(headers: Headers): string | undefined {
  const cookies = (headers.get("cookie") ?? "").split(";").map((one) => one.trim());
  const own = cookies.filter((one) => one.startsWith(`${cookieName}=`));
  // Two of one name: one of them was put there from another host or path.
  return own.length === 1 ? own[0]?.slice(cookieName.length + 1) : undefined;
}

/** Changes with every rotation of the credential's secrets. */
function fingerprintOf({ accessKeyId, secrets, bearerHashes }: Credential): string {
  const hash = createHash("sha256").update(`dashboard\n${accessKeyId}\n`);
  for (const secret of secrets) hash.update(`${secret}\n`);
  for (const one of bearerHashes) hash.update(one);
  return hash.digest("base64url").slice(0, 22);
}

/**
 * Makes the cookie of a new session.
 *
 * @param isSecure Whether the browser reaches the gateway over TLS.
 */
export function startSession(
  { tokens, now }: Pick<SessionDeps, "tokens" | "now">,
  credential: Credential,
  isSecure: boolean,
): string {
  const until = now() + sessionMilliseconds;
  const nonce = crypto.randomUUID();
  const payload = [credential.accessKeyId, fingerprintOf(credential), until, nonce];
  return cookie(tokens.seal(tokenKind, payload), sessionMilliseconds / 1000, isSecure);
}

/** Makes the header that takes the cookie away. */
export function endSession(isSecure: boolean): string {
  return cookie("", 0, isSecure);
}

function cookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? "; Secure" : "";
  return `${cookieName}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict` +
    secure;
}

/** What a person typed to sign in: an access key with its secret, or a bearer token as the secret. */
export interface Claimed {
  readonly accessKeyId: string;
  readonly secret: string;
}

/** Reads what was typed; a bearer token names its access key itself. */
export function readClaim(accessKeyId: string, secret: string): Claimed {
  const id = accessKeyId.trim();
  const text = secret.trim().replace(/^bearer +/i, "").slice(0, longestSecret + 1);
  return { accessKeyId: bearerOwner(text) ?? id, secret: text };
}

/**
 * Finds the credential whose secret or bearer token was typed. The work is the same for an access
 * key that is not known. Throws a refusal which does not reveal whether it is.
 */
export async function proveClaim(
  { keyring, now }: SessionDeps,
  { accessKeyId, secret }: Claimed,
): Promise<Credential> {
  const credential = await keyring.find(accessKeyId);
  const given = secret.length > longestSecret ? hashBearer("") : hashBearer(secret);
  const secrets = (credential?.secrets ?? []).map(hashBearer);
  const known = credential ? [...secrets, ...credential.bearerHashes] : [];
  const hashes = known.length > 0 ? known : [hashBearer(`none ${accessKeyId}`)];
  const fits = hashes.map((hash) => timingSafeEqual(Buffer.from(hash), given)).includes(true);
  if (!credential || !fits || secret === "") {
    throw refuse(
      "unknownKey",
      "The access key id or the secret is not right. Type both as they were issued, or the bearer " +
        "token as the secret",
    );
  }
  checkGood(credential, now());
  return credential;
}
