/** Headers that ask for a promise which nobody here could keep. */
import { Failure } from "../../codecs/failure.ts";

/** What must not be taken in silence: a lock that locks nothing, a key that encrypts nothing. */
const promises: Readonly<Record<string, string>> = {
  "x-amz-object-lock-mode": "Objects cannot be locked",
  "x-amz-object-lock-retain-until-date": "Objects cannot be locked",
  "x-amz-object-lock-legal-hold": "Objects cannot be locked",
  "x-amz-server-side-encryption-customer-algorithm": "A key of the client's cannot encrypt objects",
  "x-amz-server-side-encryption-customer-key": "A key of the client's cannot encrypt objects",
};

/** Throws `unsupported` where a request that makes an object asks for more than is kept. */
export function refusePromises(headers: Headers): void {
  const asked = Object.keys(promises).find((name) => headers.has(name));
  if (asked === undefined) return;
  throw new Failure("unsupported", `${promises[asked]} here. Send the request without ${asked}`);
}
