/**
 * A signer of fetch requests. It is named here and not in deno.json, so that only tests fetch it: Deno
 * fetches every package of the import map at the first start of anything (2.9.6).
 */
export * from "npm:aws4fetch@1.0.20";
