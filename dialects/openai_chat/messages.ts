/** Messages of OpenAI's chat completions, read into turns and parts. */
import type { CallPart, Part, TextPart, Turn } from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { dataUrl } from "../media.ts";
import { listAt, objectAt, rawTextAt, textAt } from "../reading.ts";
import { argumentsOfText } from "../tool_values.ts";

/** Returns whether a message is a system prompt. */
export function isSystem(message: Json): boolean {
  const role = message.get("role")?.text;
  return role === "system" || role === "developer";
}

/** Reads a message. */
export function readTurn(message: Json, log: LossLog): Turn {
  const role = textAt(message, "role", log);
  const name = message.get("name");
  const placed = {
    at: message.at,
    content: message.get("content")?.at,
    name: name && { raw: name.raw, at: name.at },
  };
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", parts: readContent(message, log), ...placed };
    case "user":
      return { role: "user", parts: readContent(message, log), ...placed };
    case "assistant":
      return { role: "assistant", parts: readAssistant(message, log), ...placed };
    case "tool":
    case "function":
      return { role: "user", parts: [readResult(message, log)], at: message.at };
    default:
      return log.refuse(message.at, "the role of a message is not one of chat completions");
  }
}

function readAssistant(message: Json, log: LossLog): Part[] {
  const refusal = message.get("refusal");
  const calls = listAt(message, "tool_calls", log).map((call) => readCall(call, log));
  const old = message.get("function_call");
  const parts = [...readContent(message, log), ...calls];
  if (refusal?.kind === "string") {
    parts.push({ kind: "refusal", text: refusal.raw, at: refusal.at });
  }
  if (old) {
    const name = old.get("name")?.text ?? "";
    const args = argumentsOfText(old.get("arguments")?.raw);
    parts.push({ kind: "call", id: name, name, args, at: old.at });
  }
  return parts;
}

function readCall(call: Json, log: LossLog): CallPart {
  const inner = call.get("function");
  if (!inner) log.refuse(call.at, "a call of a custom tool is known to OpenAI only");
  return {
    kind: "call",
    id: call.get("id")?.text ?? "",
    name: textAt(inner, "name", log) ?? "",
    args: argumentsOfText(rawTextAt(inner, "arguments", log)),
    at: call.at,
  };
}

/** A message of the role `tool`, or `function` in the old form, where the name pairs them. */
function readResult(message: Json, log: LossLog): Part {
  const name = textAt(message, "name", log);
  const content = readContent(message, log).filter((part) =>
    part.kind === "text" || part.kind === "media"
  );
  return {
    kind: "result",
    id: textAt(message, "tool_call_id", log) ?? name ?? "",
    name: name,
    content,
    error: false,
    at: message.at,
    places: { content: message.get("content")?.at },
  };
}

/** Reads the content of a message: a text, or a list of parts. */
export function readContent(message: Json, log: LossLog): Part[] {
  const content = message.get("content");
  if (!content) return [];
  if (content.kind === "string") return [textPart(content)];
  return listAt(message, "content", log).flatMap((part) => readPart(part, log));
}

function textPart(text: Json, at = text.at): TextPart {
  return { kind: "text", text: text.raw, at };
}

function readPart(part: Json, log: LossLog): Part[] {
  const type = textAt(part, "type", log);
  const text = part.get(type === "refusal" ? "refusal" : "text");
  if (type === "text" && text?.kind === "string") return [textPart(text, part.at)];
  if (type === "refusal" && text) return [{ kind: "refusal", text: text.raw, at: part.at }];
  if (type === "image_url") return [readImage(part, log)];
  if (type === "file") return [readFile(part, log)];
  if (type === "input_audio") {
    const audio = objectAt(part, "input_audio", log);
    const format = audio?.get("format")?.text === "mp3" ? "audio/mpeg" : "audio/wav";
    const data = rawTextAt(audio, "data", log) ?? '""';
    return [{
      kind: "media",
      media: "audio",
      mime: format,
      from: { in: "data", data },
      at: part.at,
    }];
  }
  return log.refuse(part.at, "a part of a message is of a type that is not known");
}

function readImage(part: Json, log: LossLog): Part {
  const image = objectAt(part, "image_url", log);
  const url = rawTextAt(image, "url", log);
  if (url === undefined) log.refuse(part.at, "an image has no URL");
  const inline = dataUrl(url);
  return {
    kind: "media",
    media: "image",
    mime: inline?.mime ?? "",
    from: inline ? { in: "data", data: inline.data } : { in: "url", url },
    at: part.at,
    detail: rawTextAt(image, "detail", log),
    places: { detail: image?.get("detail")?.at },
  };
}

function readFile(part: Json, log: LossLog): Part {
  const file = objectAt(part, "file", log);
  const id = rawTextAt(file, "file_id", log);
  const url = rawTextAt(file, "file_data", log);
  const inline = url === undefined ? undefined : dataUrl(url);
  if (id === undefined && !inline) log.refuse(part.at, "a file has neither an id nor a data URL");
  return {
    kind: "media",
    media: "document",
    mime: inline?.mime ?? "",
    from: inline
      ? { in: "data", data: inline.data }
      : { in: "file", owner: "openai", id: id ?? '""' },
    at: part.at,
    name: rawTextAt(file, "filename", log),
    places: { name: file?.get("filename")?.at },
  };
}
