/**
 * OpenAI's SDK. It is named here and not in deno.json, so that only tests fetch it: Deno fetches every
 * package of the import map at the first start of anything (2.9.6).
 */
export * from "npm:openai@7.57.0";
export { default } from "npm:openai@7.57.0";
