/** The body of InvokeModel for Nova: Converse's, but for a few members. */
import { isObject, type JsonObject, list, object } from "../json.ts";

/** The request for Converse that says the same as a body for Nova. */
export function converseOf(body: JsonObject): JsonObject {
  const { schemaVersion: _, inferenceConfig, ...request } = body;
  const { topK: __, ...config } = object(inferenceConfig);
  const withoutPoints = (block: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(block).filter(([name]) => name !== "cachePoint" || block.text === undefined),
    );
  const messages = list(request.messages).map((message) =>
    isObject(message) && Array.isArray(message.content)
      ? { ...message, content: message.content.map((block) => withoutPoints(object(block))) }
      : message
  );
  return {
    ...request,
    messages,
    ...(Array.isArray(request.system)
      ? { system: request.system.map((block) => withoutPoints(object(block))) }
      : {}),
    ...(inferenceConfig === undefined ? {} : {
      inferenceConfig: isObject(inferenceConfig) ? config : inferenceConfig,
    }),
  };
}

/** Returns what Nova's own members are wrong in. */
export function novaFault(body: JsonObject): string | undefined {
  const version = body.schemaVersion;
  if (version !== undefined && version !== "messages-v1") {
    return "Malformed input request: #/schemaVersion: messages-v1 is the only value.";
  }
  const { topK } = object(body.inferenceConfig);
  const isLimit = typeof topK === "number" && Number.isInteger(topK) && topK >= 0 && topK <= 128;
  if (topK !== undefined && !isLimit) {
    return "Malformed input request: #/inferenceConfig/topK: must be from 0 to 128.";
  }
  // InvokeModel wants a cache point inside of the text block that it stands behind.
  const blocks = list(body.messages).flatMap((message) => list(object(message).content));
  return blocks.some((block) => Object.keys(object(block)).join() === "cachePoint")
    ? "Malformed input request: #: a cachePoint must stand inside of a text block."
    : undefined;
}
