/** Reading of proto3 JSON: names in camelCase or snake_case, nothing that the proto does not know. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";
import { GoogleError } from "./errors.ts";

/** `display_name` → `displayName`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The value under a camelCase name, also where it is spelled in snake_case. */
export function field(object: JsonObject, name: string): Json | undefined {
  return object[name] ?? object[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/**
 * The text under a name; undefined where it is absent or empty, which proto3 does not distinguish.
 */
export function textField(object: JsonObject, name: string, at: string): string | undefined {
  const value = field(object, name);
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") {
    throw new GoogleError(
      "INVALID_ARGUMENT",
      `Invalid value at '${at}.${name}' (TYPE_STRING), ${JSON.stringify(value).slice(0, 80)}`,
    );
  }
  return value;
}

/** The object under a name; undefined where it is absent. */
export function objectField(object: JsonObject, name: string, at: string): JsonObject | undefined {
  const value = field(object, name);
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) {
    throw new GoogleError("INVALID_ARGUMENT", `Invalid value at '${at}.${name}', not an object`);
  }
  return value;
}

/** Refuses names that the message does not have, in the words of Google's front end. */
export function refuseUnknown(object: JsonObject, known: readonly string[], at: string): void {
  for (const name of Object.keys(object)) {
    if (!known.includes(camelCase(name))) {
      const place = at === "" ? "" : ` at '${at}'`;
      throw new GoogleError(
        "INVALID_ARGUMENT",
        `Invalid JSON payload received. Unknown name "${name}"${place}: Cannot find field.`,
      );
    }
  }
}

/**
 * Reads a JSON body; an absent or empty one is an empty object.
 *
 * @param maxBytes What is longer is refused; Google's limit is 20 MB.
 */
export async function readJson(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<JsonObject> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new GoogleError(
        "INVALID_ARGUMENT",
        `Request payload size exceeds the limit: ${maxBytes} bytes.`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  text += decoder.decode();
  if (text.trim() === "") return {};
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GoogleError("INVALID_ARGUMENT", "Invalid JSON payload received. Unexpected token.");
  }
  if (!isObject(value)) {
    throw new GoogleError(
      "INVALID_ARGUMENT",
      "Invalid JSON payload received. Root element must be a message.",
    );
  }
  return value;
}

/** A time as proto3 JSON writes it; nine fraction digits, which real replies have too. */
export function timestamp(date: Date): string {
  return date.toISOString().replace("Z", "000000Z");
}
