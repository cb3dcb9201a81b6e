/**
 * Random tests that shrink what fails. It is named here and not in deno.json, so that only tests fetch
 * it: Deno fetches every package of the import map at the first start of anything (2.9.6).
 */
export { default } from "npm:fast-check@4.10.2";
