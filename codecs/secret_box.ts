/** Secrets at rest: AES-256-GCM under one key, each bound to whose it is. */

/** Seals and opens secrets under one key. */
export interface SecretBox {
  /** A mark of the key, which reveals nothing of the key itself. */
  readonly fingerprint: string;
  /**
   * @param owner Whose secret it is; it opens only for this owner, so that no one who can write the
   * catalog can give one key's secret to another.
   */
  seal(owner: string, secret: string): Promise<Uint8Array>;
  /** The secret; undefined where it was sealed under another key, for another owner, or changed. */
  open(owner: string, sealed: Uint8Array): Promise<string | undefined>;
}

/** Bytes of a box's key. */
export const secretKeyBytes = 32;
/** What AES-GCM is best at: a random nonce of 96 bits, sent before the ciphertext. */
const nonceBytes = 12;
const utf8 = new TextEncoder();

/**
 * Makes a box.
 *
 * @param key 32 bytes.
 * @throws RangeError where it has another length.
 */
export async function createSecretBox(key: Uint8Array): Promise<SecretBox> {
  if (key.byteLength !== secretKeyBytes) {
    throw new RangeError(`Cannot make a box: the key has not ${secretKeyBytes} bytes`);
  }
  const aes = await crypto.subtle.importKey("raw", key.slice(), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  const options = (owner: string, iv: Uint8Array<ArrayBuffer>) => ({
    name: "AES-GCM",
    iv,
    additionalData: utf8.encode(owner),
  });
  return {
    fingerprint: await fingerprintOf(key),
    async seal(owner, secret) {
      const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
      const text = await crypto.subtle.encrypt(options(owner, nonce), aes, utf8.encode(secret));
      const sealed = new Uint8Array(nonceBytes + text.byteLength);
      sealed.set(nonce);
      sealed.set(new Uint8Array(text), nonceBytes);
      return sealed;
    },
    async open(owner, sealed) {
      const nonce = sealed.slice(0, nonceBytes);
      if (nonce.byteLength < nonceBytes) return undefined;
      try {
        const text = sealed.slice(nonceBytes);
        const secret = await crypto.subtle.decrypt(options(owner, nonce), aes, text);
        return new TextDecoder().decode(secret);
      } catch (error) {
        // The one error for whatever does not fit (Web Cryptography, "decrypt").
        if (error instanceof DOMException && error.name === "OperationError") return undefined;
        throw error;
      }
    },
  };
}

/** What is signed for a key's mark: a key signs nothing else. */
const signedForFingerprint = "batchway: which key is this";

async function fingerprintOf(key: Uint8Array): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmac = await crypto.subtle.importKey("raw", key.slice(), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", hmac, utf8.encode(signedForFingerprint));
  return new Uint8Array(signature).slice(0, 16).toHex();
}

/** Reads a key as it is written: base64 of 32 bytes. undefined if it is anything else. */
export function parseSecretKey(text: string): Uint8Array | undefined {
  try {
    const key = Uint8Array.fromBase64(text.trim());
    return key.byteLength === secretKeyBytes ? key : undefined;
  } catch {
    return undefined; // It throws a SyntaxError for what is not base64, and nothing else.
  }
}
