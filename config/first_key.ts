/** The first key, which the environment may name: for hosts without a disk to issue one on. */
import type { ConfigError } from "./file.ts";
import type { Env } from "./providers.ts";

/** An access key that is kept nowhere. */
export interface FirstKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const idName = "BATCHWAY_ADMIN_KEY_ID";
const secretName = "BATCHWAY_ADMIN_SECRET";

/** As AWS has them: 16 to 128 letters, digits and underscores. */
const idForm = /^\w{16,128}$/;
/** What can stand in a file of AWS credentials without quotes. */
const secretForm = /^[!-~]{16,256}$/;

/** Reads the first key; without both variables there is none. */
export function firstKeyOf(env: Env, errors: ConfigError[]): { readonly firstKey?: FirstKey } {
  const [accessKeyId, secretAccessKey] = [env(idName), env(secretName)];
  if (accessKeyId === undefined && secretAccessKey === undefined) return {};
  const before = errors.length;
  const refuse = (place: string, message: string) => errors.push({ place, message });
  if (accessKeyId === undefined) refuse(idName, `is missing; ${secretName} needs it`);
  else if (!idForm.test(accessKeyId)) {
    refuse(idName, "must be 16 to 128 letters, digits and underscores, such as BATCHWAYADMIN001");
  }
  if (secretAccessKey === undefined) refuse(secretName, `is missing; ${idName} needs it`);
  else if (!secretForm.test(secretAccessKey)) {
    refuse(
      secretName,
      "must be 16 to 256 characters of ASCII without spaces; `openssl rand -hex 24` makes some",
    );
  }
  if (errors.length > before || accessKeyId === undefined || secretAccessKey === undefined) {
    return {};
  }
  return { firstKey: { accessKeyId, secretAccessKey } };
}
