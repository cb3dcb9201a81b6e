/** The gateway's own limit of a body. */
import { Failure } from "../../codecs/failure.ts";

/** Throws `too-large`, EntityTooLarge, for more bytes than the operator allows. */
export function checkObjectSize(bytes: number, maxBodyBytes: number): void {
  if (bytes <= maxBodyBytes) return;
  throw new Failure(
    "too-large",
    `The object is larger than ${maxBodyBytes} bytes, the gateway's limit`,
    { fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${maxBodyBytes}` } },
  );
}
