/** Records that fail because their text asks for it. */
import { type JsonObject, string } from "../json.ts";
import { ending, type FailedStatus } from "../model/words.ts";
import { conversation } from "../replies.ts";

const messages: Readonly<Record<FailedStatus, string>> = {
  400: "Malformed input request: this fails on purpose.",
  401: "The security token included in the request is invalid.",
  403: "You don't have access to the model with the specified model ID.",
  404: "Could not resolve the foundation model from the provided model identifier.",
  408: "Model has timed out in processing the request. Try your request again.",
  413: "Input is too long for requested model.",
  429: "Too many requests, please wait before trying again.",
  500: "The system encountered an unexpected error during processing. Try your request again.",
  503: "Bedrock is unable to process your request.",
};

/** Returns the text of a record that the words of the sandbox are looked for in. */
export function promptOf(input: JsonObject): string {
  if (Array.isArray(input.messages)) return conversation(input.messages).prompt;
  const { prompt, inputText, texts } = input;
  if (Array.isArray(texts)) return texts.map((text) => string(text) ?? "").join("\n");
  return string(prompt) ?? string(inputText) ?? "";
}

/** Returns the error that the text of a record asks for. */
export function askedFailure(
  input: JsonObject,
): { errorCode: number; errorMessage: string } | undefined {
  const end = ending(promptOf(input));
  if (end.kind === "answered") return undefined;
  const errorCode = end.kind === "expired" ? 408 : end.status;
  return { errorCode, errorMessage: messages[errorCode] };
}
