/** Variables that lead a gateway to the simulated providers. */
import { sandboxKeys } from "./context.ts";
import type { Sandbox } from "./server.ts";

/** The variables by which a gateway finds a sandbox's providers. */
export function sandboxEnvironment(sandbox: Sandbox): Record<string, string> {
  return {
    OPENAI_API_KEY: sandboxKeys.openai,
    OPENAI_BASE_URL: sandbox.openaiUrl,
    GEMINI_API_KEY: sandboxKeys.gemini,
    GOOGLE_GEMINI_BASE_URL: sandbox.geminiUrl,
    ANTHROPIC_API_KEY: sandboxKeys.anthropic,
    ANTHROPIC_BASE_URL: sandbox.anthropicUrl,
    AWS_ACCESS_KEY_ID: sandboxKeys.awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: sandboxKeys.awsSecretAccessKey,
    AWS_REGION: "us-west-2",
    AWS_ENDPOINT_URL_S3: sandbox.s3Url,
    AWS_ENDPOINT_URL_BEDROCK: sandbox.bedrockUrl,
    AWS_ENDPOINT_URL_EVENTBRIDGE: sandbox.eventBridgeUrl,
  };
}
