/** Arguments and results of tools, in the forms that targets take them. */
import type { CallPart, JsonPart, MediaPart, ResultPart, TextPart } from "./chat.ts";
import { JsonError, parseJson } from "./json.ts";
import type { Json, Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";
import { object, quote, unquote } from "./raw.ts";

/**
 * Arguments that a source gives as text (a JSON string): the object that they are, `{}` where they
 * are empty, else the text as it is.
 */
export function argumentsOfText(raw: Raw | undefined): CallPart["args"] {
  const text = raw === undefined ? "" : unquote(raw);
  if (text.trim() === "") return { object: "{}" };
  try {
    const value = parseJson(text);
    if (value.kind === "object") return { object: value.raw };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  return { text: raw ?? '""' };
}

/** Arguments that a source gives as an object; anything else is kept as its text. */
export function argumentsOfJson(value: Json | undefined): CallPart["args"] {
  if (value === undefined) return { object: "{}" };
  if (value.kind === "object") return { object: value.raw };
  return { text: value.kind === "string" ? value.raw : quote(value.raw) };
}

/** Arguments for a target that takes an object. */
export function argumentsObject({ args, at }: CallPart, log?: LossLog): Raw {
  if ("object" in args) return args.object;
  log?.approximated(at, "the arguments are not a JSON object and are sent as its member value");
  return object(["value", args.text]);
}

/** Arguments for a target that takes them as text: a JSON string. */
export function argumentsText({ args }: CallPart): Raw {
  return "object" in args ? quote(args.object) : args.text;
}

/** Returns what a result holds, as one JSON string: texts as they are, JSON as its text. */
export function resultText(part: TextPart | JsonPart): Raw {
  return part.kind === "text" ? part.text : quote(part.json);
}

/** The media among what a result holds. */
export function resultMedia({ content }: ResultPart): MediaPart[] {
  return content.filter((part) => part.kind === "media");
}

/** The texts and JSON values among what a result holds. */
export function resultTexts({ content }: ResultPart): (TextPart | JsonPart)[] {
  return content.filter((part) => part.kind !== "media");
}
