/**
 * Vercel's AI SDK for Bedrock. It is named here and not in deno.json, so that only tests fetch it: Deno fetches
 * every package of the import map at the first start of anything (2.9.6).
 */
export { createAmazonBedrock } from "npm:@ai-sdk/amazon-bedrock@5.0.101";
