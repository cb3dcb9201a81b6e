/** Telling Converse records of a Bedrock batch input from those of InvokeModel. */
import { isObject, type JsonObject } from "./json_object.ts";

/** Members of a Converse request (botocore 1.43.107); any other is InvokeModel's. */
const members: ReadonlySet<string> = new Set([
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "guardrailConfig",
  "additionalModelRequestFields",
  "additionalModelResponseFieldPaths",
  "promptVariables",
  "requestMetadata",
  "performanceConfig",
  "serviceTier",
  "outputConfig",
]);

/**
 * Amazon Nova's own bodies have Converse's messages, but know more here, such as `topK`. Those that
 * use nothing of it look just like Converse's: which model they are for distinguishes them.
 */
const inferenceMembers: ReadonlySet<string> = new Set([
  "maxTokens",
  "temperature",
  "topP",
  "stopSequences",
]);

/**
 * Returns whether a line of a batch input is of Converse's form: every member of its `modelInput`
 * is one of Converse's, and the blocks of its messages are unions (`{"text": …}`) without a `type`.
 */
export function isConverseRecord(line: Uint8Array): boolean {
  const input = objectOf(objectOf(parse(line))?.["modelInput"]);
  if (!input || !Object.keys(input).every((name) => members.has(name))) return false;
  const inference = objectOf(input["inferenceConfig"]) ?? {};
  if (!Object.keys(inference).every((name) => inferenceMembers.has(name))) return false;
  const { messages } = input;
  return Array.isArray(messages) && messages.length > 0 && messages.every(hasUnions);
}

/**
 * Returns whether a model's own form looks like Converse's: Amazon Nova's, by its id, the id of an
 * inference profile (`us.amazon.nova-lite-v1:0`), or the ARN of either.
 */
export function resemblesConverse(modelId: string): boolean {
  const name = modelId.split("/").at(-1) ?? modelId;
  return /^(?:[a-z-]+\.)?amazon\.nova/.test(name);
}

function hasUnions(message: unknown): boolean {
  const content = objectOf(message)?.["content"];
  return Array.isArray(content) && content.length > 0 && content.every((block) => {
    const names = Object.keys(objectOf(block) ?? {});
    return names.length === 1 && names[0] !== "type";
  });
}

function parse(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(line));
  } catch {
    return undefined; // Not JSON is not Converse either; the service will say what is wrong.
  }
}

function objectOf(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}
