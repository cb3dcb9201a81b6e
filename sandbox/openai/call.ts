/** What each of the simulated OpenAI's operations is given, and how it reads it. */
import type { Json, SandboxRequest } from "../context.ts";
import { isObject, type JsonObject, parseJson } from "../json.ts";
import { invalid, OpenAIError } from "./errors.ts";

/** A request to one operation. */
export interface Call {
  readonly request: SandboxRequest;
  /** The id in the path; empty where the operation has none. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** An operation; throws {@linkcode OpenAIError}. */
export type Operation = (call: Call) => Promise<Response>;

const maxJsonBytes = 1_048_576;

/** Unix time in whole seconds, as OpenAI writes every time. */
export function unixSeconds(date: Date | number): number {
  return Math.floor(Number(date) / 1000);
}

/** The JSON object in a request's body; an absent body is an empty one. */
export async function jsonBody(request: SandboxRequest): Promise<JsonObject> {
  if (request.body === null) return {};
  let text = "";
  for await (const chunk of request.body.pipeThrough(new TextDecoderStream() as Decoder)) {
    text += chunk;
    if (text.length > maxJsonBytes) throw new OpenAIError(413, "The request is too large.");
  }
  const value = text.trim() === "" ? {} : parseJson(text);
  if (!isObject(value)) {
    throw new OpenAIError(400, "We could not parse the JSON body of your request.");
  }
  return value;
}

type Decoder = ReadableWritablePair<string, Uint8Array>;

/** Returns how long a file shall live, from an `expires_after` object or form fields. */
export function expirySeconds(anchor: Json | undefined, seconds: Json | undefined): number | null {
  if (anchor === undefined && seconds === undefined) return null;
  if (anchor !== "created_at") {
    throw invalid("expires_after.anchor", "expires_after.anchor must be 'created_at'.");
  }
  const value = Number(seconds);
  if (!Number.isInteger(value) || value < 3600 || value > 2_592_000) {
    throw invalid("expires_after.seconds", "expires_after.seconds must be from 3600 to 2592000.");
  }
  return value;
}

/** A page of a list, as `limit` and `after` ask for it. */
export function page<Item extends { id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
  limits: { readonly max: number; readonly preset: number },
): JsonObject & { data: Item[] & Json[] } {
  const limit = Number(query.get("limit") ?? limits.preset);
  if (!Number.isInteger(limit) || limit < 1 || limit > limits.max) {
    throw invalid("limit", `limit must be from 1 to ${limits.max}.`);
  }
  const after = query.get("after");
  const last = after === null ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== null && last < 0) throw invalid("after", `No item with id '${after}' found.`);
  const data = items.slice(last + 1, last + 1 + limit);
  return {
    object: "list",
    data: data as Item[] & Json[],
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: last + 1 + data.length < items.length,
  };
}
