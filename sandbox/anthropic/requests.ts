/** The `requests` of a create call, one at a time: the body may have 256 MB. */
import { isObject, type JsonObject, parseJson } from "../json.ts";
import { AnthropicError } from "./errors.ts";

/** Bytes of a create call's body. */
const maxBodyBytes = 256 * 2 ** 20;
const maxRequests = 100_000;

/** One request of a batch. */
export interface BatchRequest {
  readonly customId: string;
  /** The request as one line of JSON. */
  readonly line: string;
}

/**
 * Reads the requests of a create call in memory bounded by the longest of them.
 *
 * Throws an {@linkcode AnthropicError} where the body is not a list of requests with ids of their
 * own; what is wrong inside of `params` is found later, when the batch runs.
 */
export async function* readRequests(
  body: ReadableStream<Uint8Array> | null,
): AsyncGenerator<BatchRequest> {
  const ids = new Set<string>();
  let index = 0;
  for await (const element of arrayElements(body, "requests")) {
    if (index >= maxRequests) {
      throw new AnthropicError(
        "invalid_request_error",
        `requests: List should have at most ${maxRequests} items after validation`,
      );
    }
    const request = parseJson(element);
    if (request === undefined) throw notJson();
    const customId = checkRequest(request, index);
    if (ids.has(customId)) {
      throw new AnthropicError(
        "invalid_request_error",
        `requests.${index}.custom_id: custom_id must be unique within the batch`,
      );
    }
    ids.add(customId);
    // Line ends can stand between tokens only: inside of strings JSON escapes them.
    yield { customId, line: element.replaceAll(/[\r\n]/g, " ") };
    index++;
  }
  if (index === 0) {
    throw new AnthropicError(
      "invalid_request_error",
      "requests: List should have at least 1 item after validation, not 0",
    );
  }
}

function checkRequest(request: ReturnType<typeof parseJson>, index: number): string {
  const wrong = (what: string) =>
    new AnthropicError("invalid_request_error", `requests.${index}${what}`);
  if (!isObject(request)) throw wrong(": Input should be a valid dictionary");
  const { custom_id: customId, params, ...rest }: JsonObject = request;
  if (customId === undefined) throw wrong(".custom_id: Field required");
  if (typeof customId !== "string") throw wrong(".custom_id: Input should be a valid string");
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(customId)) {
    throw wrong(".custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'");
  }
  if (params === undefined) throw wrong(".params: Field required");
  if (!isObject(params)) throw wrong(".params: Input should be a valid dictionary");
  for (const name of Object.keys(rest)) {
    throw wrong(`.${name}: Extra inputs are not permitted`);
  }
  return customId;
}

function notJson(): AnthropicError {
  return new AnthropicError("invalid_request_error", "The request body is not valid JSON");
}

const byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
} as const;

/**
 * The text of each element of the one list that the JSON object in a body holds under `name`.
 *
 * Follows only strings and brackets: that each element is JSON is left to its reader, and the
 * object may hold nothing besides the list.
 */
async function* arrayElements(
  body: ReadableStream<Uint8Array> | null,
  name: string,
): AsyncGenerator<string> {
  // What stands around the list is kept apart, each at most so long.
  const maxFrame = 1000;
  let frame = "";
  let pieces: Uint8Array[] = [];
  let depth = 0;
  let inString = false;
  let escaped = false;
  let commas = 0;
  let received = 0;

  for await (const chunk of body ?? []) {
    received += chunk.byteLength;
    if (received > maxBodyBytes) {
      throw new AnthropicError("request_too_large", "Request exceeds the maximum size");
    }
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const value = chunk[at] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (value === byte.backslash) escaped = true;
        else if (value === byte.quote) inString = false;
        if (depth < 2) frame += String.fromCharCode(value);
      } else {
        const inList = depth >= 2;
        if (value === byte.quote) inString = true;
        else if (value === byte.open || value === byte.openList) depth++;
        else if (value === byte.close || value === byte.closeList) depth--;
        if (!inList) {
          if (!isSpace(value)) frame += String.fromCharCode(value);
          if (depth === 2) start = at + 1;
        } else if (depth < 2 || (depth === 2 && value === byte.comma)) {
          const element = take(pieces, chunk.subarray(start, at));
          pieces = [];
          start = at + 1;
          if (depth < 2) frame += String.fromCharCode(value);
          else commas++;
          if (element !== "") yield element;
          // `[]` is the one place where nothing may stand for an element.
          else if (depth === 2 || commas > 0) throw notJson();
        }
      }
      if (frame.length > maxFrame || depth < 0) throw notJson();
    }
    if (depth >= 2 && start < chunk.length) pieces.push(chunk.slice(start));
  }
  checkFrame(frame, name);
}

const isSpace = (value: number) =>
  value === byte.space || value === byte.lineFeed || value === byte.carriageReturn ||
  value === byte.tab;

function take(pieces: readonly Uint8Array[], last: Uint8Array): string {
  const decoder = new TextDecoder();
  let text = "";
  for (const piece of pieces) text += decoder.decode(piece, { stream: true });
  return (text + decoder.decode(last)).trim();
}

/** Says what is wrong with what stands around the list; `{"requests":[]}` is right. */
function checkFrame(frame: string, name: string): void {
  const object = parseJson(frame);
  if (!isObject(object)) throw notJson();
  for (const other of Object.keys(object)) {
    if (other !== name) {
      throw new AnthropicError(
        "invalid_request_error",
        `${other}: Extra inputs are not permitted`,
      );
    }
  }
  if (object[name] === undefined) {
    throw new AnthropicError("invalid_request_error", `${name}: Field required`);
  }
  if (!Array.isArray(object[name])) {
    throw new AnthropicError("invalid_request_error", `${name}: Input should be a valid list`);
  }
}
