/**
 * Vercel's AI SDK for OpenAI. It is named here and not in deno.json, so that only tests fetch it: Deno fetches
 * every package of the import map at the first start of anything (2.9.6).
 */
export { createOpenAI } from "npm:@ai-sdk/openai@4.0.118";
