/**
 * The signer of Amazon's JavaScript SDKs, and the hash that it is given. They are named here and not in
 * deno.json, so that only tests fetch them: Deno fetches every package of the import map at the first
 * start of anything (2.9.6).
 */
export { SignatureV4 } from "npm:@smithy/signature-v4@5.7.5";
export { Sha256 } from "npm:@aws-crypto/sha256-js@5.2.0";
