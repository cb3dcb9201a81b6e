/** What the simulated models answer to one record. */
import { type JsonObject, list, number, object } from "../json.ts";
import { contentText, conversation, embedding, tokenCount } from "../replies.ts";
import { ending, type FailedStatus } from "../model/words.ts";
import { contentsFault } from "./fault.ts";
import type { InputRecord } from "./lines.ts";
import type { BatchRecord, RpcStatus } from "./records.ts";
import { geminiReply } from "./reply.ts";

/** The errors that a text asks for, as google.rpc.Status. */
const asked: Readonly<Record<FailedStatus, RpcStatus>> = {
  400: { code: 3, message: "Request contains an invalid argument." },
  401: { code: 16, message: "Request had invalid authentication credentials." },
  403: { code: 7, message: "The caller does not have permission" },
  404: { code: 5, message: "Requested entity was not found." },
  408: { code: 4, message: "Deadline expired before operation could complete." },
  413: { code: 3, message: "The input token count exceeds the maximum number of tokens allowed." },
  429: { code: 8, message: "Resource has been exhausted (e.g. check quota)." },
  500: { code: 13, message: "An internal error has occurred. Please retry." },
  503: { code: 14, message: "The model is overloaded. Please try again later." },
};

/** The text of a record that the words of the sandbox are looked for in. */
export function promptOf({ request }: InputRecord, { method }: BatchRecord): string {
  return method === "generateContent"
    ? conversation(request.contents).prompt
    : contentText(object(request.content).parts);
}

/**
 * Returns why a record gets an error in place of a response; undefined where it gets a response.
 *
 * Ids that begin with `error-`, models whose name begins with `fail-`, and texts that ask for it
 * fail every time.
 */
export function refusal(record: InputRecord, batch: BatchRecord): RpcStatus | undefined {
  if (record.key?.startsWith("error-") || /^[^/]+\/fail-/.test(batch.model)) {
    return asked[500];
  }
  const end = ending(promptOf(record, batch));
  if (end.kind !== "answered") return asked[end.kind === "expired" ? 408 : end.status];
  const invalid = batch.method === "generateContent"
    ? contentsFault(record.request, batch.model)
    : contentFault(record.request);
  return invalid === undefined ? undefined : { code: 3, message: invalid };
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
