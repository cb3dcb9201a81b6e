/** Why a batch failed, in whichever form its provider words it. */
import { ofLine } from "../codecs/line_reasons.ts";
import { count, type JsonObject, object, text } from "./json.ts";

/** Of a list that does not end no more is looked at: messages hold far fewer. */
const mostReasons = 1_000;

/**
 * The reasons in a value that should hold some: a text, an error, or a list of either. OpenAI has
 * `{data: [{code, line, message}]}`; others leave the list's frame out, or write plain texts.
 */
export function reasonsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.slice(0, mostReasons).flatMap(reasonOf);
  const list = object(value)?.["data"];
  return Array.isArray(list) ? list.slice(0, mostReasons).flatMap(reasonOf) : reasonOf(value);
}

function reasonOf(value: unknown): readonly string[] {
  const reported = text(value);
  if (reported !== undefined) return [reported];
  const error = object(value);
  if (error === undefined) return [];
  const line = count(error["line"]);
  const reason = sentenceOf(error);
  if (reason === undefined && line === undefined) return [];
  const words = reason ?? "no reason given";
  return [line === undefined ? words : ofLine(line, words)];
}

/** The names by which services that speak OpenAI's API call their sentence, most telling first. */
const names = ["message", "detail", "error", "reason", "code", "type"] as const;

function sentenceOf(error: JsonObject): string | undefined {
  for (const name of names) {
    const inner = error[name];
    const reported = text(inner) ?? text(object(inner)?.["message"]);
    if (reported !== undefined) return reported;
  }
  return undefined;
}
