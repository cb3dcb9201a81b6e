/** Items of a Responses input, read into turns and parts. */
import type { JsonPart, MediaPart, Part, TextPart, Turn } from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { dataUrl } from "../media.ts";
import { listAt, rawTextAt, textAt } from "../reading.ts";
import { argumentsOfText } from "../tool_values.ts";

/** An item as a turn; one that joins belongs to the turn before it, where the role is the same. */
export interface ItemTurn {
  readonly role: Turn["role"];
  readonly parts: readonly Part[];
  readonly joins: boolean;
  /** Where the content of a message begins. */
  readonly content?: number | undefined;
}

/** Returns whether an item is a system prompt. */
export function isSystemItem(item: Json): boolean {
  const role = item.get("role")?.text;
  return role === "system" || role === "developer";
}

/**
 * Reads an item of a request or an answer as a turn: a message, a call, a result, a thought or a
 * reference.
 */
export function readItem(item: Json, log: LossLog): ItemTurn {
  const type = item.get("type")?.text ?? "message";
  const { at } = item;
  switch (type) {
    case "message":
      return {
        role: roleOf(item, log),
        parts: readContent(item, "content", log),
        joins: false,
        content: item.get("content")?.at,
      };
    case "function_call": {
      const args = argumentsOfText(rawTextAt(item, "arguments", log));
      const id = textAt(item, "call_id", log) ?? "";
      const name = textAt(item, "name", log) ?? "";
      return { role: "assistant", parts: [{ kind: "call", id, name, args, at }], joins: true };
    }
    case "function_call_output": {
      const content = readContent(item, "output", log).filter(isContent);
      const id = textAt(item, "call_id", log) ?? "";
      return {
        role: "user",
        parts: [{
          kind: "result",
          id,
          content,
          error: false,
          at,
          places: { content: item.get("output")?.at },
        }],
        joins: true,
      };
    }
    case "reasoning":
      return { role: "assistant", parts: readReasoning(item), joins: true };
    case "item_reference":
      return log.refuse(at, "a reference to an item is known to OpenAI only");
    default: {
      const what = `an item of the type ${JSON.stringify(type.slice(0, 40))}`;
      const opaque: Part = { kind: "opaque", owner: "openai", raw: item.raw, at, what };
      return { role: "assistant", parts: [opaque], joins: true };
    }
  }
}

function roleOf(item: Json, log: LossLog): Turn["role"] {
  if (isSystemItem(item)) return "system";
  const role = textAt(item, "role", log);
  if (role === "user" || role === "assistant") return role;
  return log.refuse(item.at, "the role of a message is not one of Responses");
}

/** Reads the summaries of reasoning, and its encrypted content as a signature of OpenAI's. */
export function readReasoning(item: Json): Part[] {
  const encrypted = item.get("encrypted_content");
  const signature = encrypted?.kind === "string"
    ? { owner: "openai" as const, raw: encrypted.raw }
    : undefined;
  const texts = (item.get("summary")?.list ?? []).flatMap((summary) => summary.get("text") ?? []);
  const parts: Part[] = texts.map((text) => ({ kind: "thinking", text: text.raw, at: item.at }));
  if (signature) parts.push({ kind: "thinking", text: '""', at: item.at, signature });
  return parts;
}

function isContent(part: Part): part is TextPart | MediaPart | JsonPart & Part {
  return part.kind === "text" || part.kind === "media";
}

/** Reads a content: a text, or a list of parts. */
export function readContent(item: Json, name: string, log: LossLog): Part[] {
  const content = item.get(name);
  if (content?.kind === "string") return [{ kind: "text", text: content.raw, at: content.at }];
  return listAt(item, name, log).map((part) => readPart(part, log));
}

function readPart(part: Json, log: LossLog): Part {
  const { at } = part;
  switch (textAt(part, "type", log)) {
    case "input_text":
    case "output_text":
    case "text": {
      const annotations = part.get("annotations");
      const citations = annotations && annotations.list.length > 0
        ? { owner: "openai" as const, raw: annotations.raw }
        : undefined;
      return { kind: "text", text: rawTextAt(part, "text", log) ?? '""', at, citations };
    }
    case "refusal":
      return { kind: "refusal", text: rawTextAt(part, "refusal", log) ?? '""', at };
    case "input_image":
      return readMedia(part, "image", "image_url", log);
    case "input_file":
      return readMedia(part, "document", part.get("file_url") ? "file_url" : "file_data", log);
    default:
      return log.refuse(at, "a part of an item is of a type that is not known");
  }
}

function readMedia(
  part: Json,
  media: "image" | "document",
  member: string,
  log: LossLog,
): MediaPart {
  const url = rawTextAt(part, member, log);
  const id = rawTextAt(part, "file_id", log);
  const inline = url === undefined ? undefined : dataUrl(url);
  const from: MediaPart["from"] | undefined = inline
    ? { in: "data", data: inline.data }
    : url !== undefined
    ? { in: "url", url }
    : id !== undefined
    ? { in: "file", owner: "openai", id }
    : undefined;
  if (!from) log.refuse(part.at, "media without a URL, data or file id");
  return {
    kind: "media",
    media,
    mime: inline?.mime ?? "",
    from,
    at: part.at,
    name: rawTextAt(part, "filename", log),
    detail: rawTextAt(part, "detail", log),
    places: { name: part.get("filename")?.at, detail: part.get("detail")?.at },
  };
}
