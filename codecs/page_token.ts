/** Opaque tokens that hold the gateway's own state while a client carries it. */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** Makes and reads tokens. */
export interface Tokens {
  /**
   * @param kind What the token is for, such as `list-objects`; a token opens only under its kind.
   * @param payload Signed but not encrypted, so nothing secret. There is room for a key of 1,024
   * bytes and some 200 bytes besides.
   * @returns At most 2,048 characters of `[A-Za-z0-9_-]`.
   * @throws RangeError where the payload does not fit.
   */
  seal(kind: string, payload: Json): string;
  /** The payload; undefined where the token was not sealed by this secret under this kind. */
  open(kind: string, token: string): Json | undefined;
}

const maxTokenLength = 2048;
const macBytes = 16;
/** A plain payload of this many bytes still fits; one that JSON escapes made longer is deflated. */
const maxPlainBytes = Math.floor(maxTokenLength * 3 / 4) - macBytes - 1;
const form = { plain: 0, deflated: 1 } as const;

/**
 * Makes tokens under a secret.
 *
 * @param secret At least 16 random bytes; all gateways that share a catalog share it.
 * @throws RangeError where it is shorter.
 */
export function createTokens(secret: Uint8Array): Tokens {
  if (secret.byteLength < macBytes) {
    throw new RangeError(`Cannot make tokens: secret is shorter than ${macBytes} bytes`);
  }
  const own = secret.slice();
  const mac = (kind: string, body: Uint8Array): Uint8Array =>
    createHmac("sha256", own)
      // The length keeps the border between kind and body.
      .update(`${Buffer.byteLength(kind)}:${kind}`)
      .update(body)
      .digest()
      .subarray(0, macBytes);
  return {
    seal(kind, payload) {
      const json = Buffer.from(JSON.stringify(payload));
      const body = json.length <= maxPlainBytes
        ? Buffer.concat([Uint8Array.of(form.plain), json])
        : Buffer.concat([Uint8Array.of(form.deflated), deflateRawSync(json)]);
      const token = Buffer.concat([mac(kind, body), body]).toString("base64url");
      if (token.length > maxTokenLength) {
        throw new RangeError(`Cannot seal token: payload needs ${token.length} characters`);
      }
      return token;
    },
    open(kind, token) {
      if (token.length > maxTokenLength || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
      const bytes = Buffer.from(token, "base64url");
      if (bytes.length <= macBytes) return undefined;
      const body = bytes.subarray(macBytes);
      if (!timingSafeEqual(bytes.subarray(0, macBytes), mac(kind, body))) return undefined;
      // From here on the bytes are our own, so neither step can fail or swell.
      const rest = body.subarray(1);
      const json = body[0] === form.deflated ? inflateRawSync(rest) : rest;
      return JSON.parse(json.toString()) as Json;
    },
  };
}
