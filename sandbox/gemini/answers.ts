/** What the simulated models answer to one record. */
import { isObject, type JsonObject, list, number, object } from "../json.ts";
import { contentText, embedding, geminiReply, tokenCount } from "../replies.ts";
import type { InputRecord } from "./lines.ts";
import type { BatchRecord, RpcStatus } from "./records.ts";

/**
 * Why a record gets an error in place of a response; undefined where it gets a response.
 *
 * Ids that begin with `error-`, and models whose name begins with `fail-`, fail every time.
 */
export function refusal(record: InputRecord, batch: BatchRecord): RpcStatus | undefined {
  if (record.key?.startsWith("error-") || /^[^/]+\/fail-/.test(batch.model)) {
    return { code: 13, message: "An internal error has occurred. Please retry." };
  }
  const invalid = batch.method === "generateContent"
    ? contentsFault(record.request)
    : contentFault(record.request);
  return invalid === undefined ? undefined : { code: 3, message: invalid };
}

function contentsFault({ contents, systemInstruction }: JsonObject): string | undefined {
  if (list(contents).length === 0) {
    return "* GenerateContentRequest.contents: contents is not specified\n";
  }
  const all = systemInstruction === undefined ? list(contents) : [
    systemInstruction,
    ...list(contents),
  ];
  for (const content of all) {
    const parts = list(object(content).parts);
    if (parts.length === 0) return "* GenerateContentRequest.contents.parts: parts is empty\n";
    if (parts.some((part) => isObject(part) && part.text === "")) {
      return "Unable to process input: a text part is empty.";
    }
  }
  return undefined;
}

function contentFault({ content }: JsonObject): string | undefined {
  return list(object(content).parts).length > 0
    ? undefined
    : "* EmbedContentRequest.content: content is not specified\n";
}

/** The `response` to a record that {@linkcode refusal} finds nothing against. */
export function response(record: InputRecord, index: number, batch: BatchRecord): JsonObject {
  if (batch.method === "generateContent") {
    return geminiReply(record.request, batch.model, {
      id: `${batch.id.slice(0, 12)}-${index}`,
      createdAt: new Date(batch.createdAt),
    });
  }
  const text = contentText(object(record.request.content).parts);
  const dimensions = number(record.request.outputDimensionality) ?? 3072;
  return {
    embedding: { values: embedding(text, dimensions) },
    usageMetadata: { promptTokenCount: tokenCount(text), totalTokenCount: tokenCount(text) },
  };
}
