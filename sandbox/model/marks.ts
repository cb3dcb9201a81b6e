/** Ids and seals of a reply, made so that the same reply has the same ones. */
import { createHash } from "node:crypto";

/** A seal on reasoning: base64 that only the provider that wrote it understands. */
export function signature(text: string): string {
  return createHash("sha256").update(`sandbox ${text}`).digest("base64");
}

/** An id of `length` letters and digits that depends only on the reply and the place in it. */
export function partId(replyId: string, index: number, length: number): string {
  const hash = createHash("sha256").update(`${replyId} ${index}`).digest("hex");
  return hash.slice(0, length);
}
