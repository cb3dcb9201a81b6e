/**
 * Vercel's AI SDK for Anthropic. It is named here and not in deno.json, so that only tests fetch it: Deno fetches
 * every package of the import map at the first start of anything (2.9.6).
 */
export { createAnthropic } from "npm:@ai-sdk/anthropic@4.0.105";
