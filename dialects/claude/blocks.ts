/** Content blocks of Anthropic's messages, read into parts. */
import type { JsonPart, MediaPart, MediaSource, Part, TextPart } from "../chat.ts";
import type { Json, Raw } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { rawTextAt, textAt } from "../reading.ts";
import { argumentsOfJson } from "../tool_values.ts";

/** The parts of a content: a text, or a list of blocks. */
export function readContent(content: Json | undefined, log: LossLog): Part[] {
  if (!content) return [];
  if (content.kind === "string") return [{ kind: "text", text: content.raw, at: content.at }];
  if (content.kind !== "array") log.refuse(content.at, "content is neither a text nor a list");
  return content.list.flatMap((block) => [...readBlock(block, log), ...cacheOf(block)]);
}

/** A cache point that stands on a block is a part behind it. */
function cacheOf(block: Json): Part[] {
  const control = block.get("cache_control");
  if (!control) return [];
  const ttl = control.get("ttl")?.text;
  return [{ kind: "cache", at: control.at, ...(ttl === "1h" || ttl === "5m" ? { ttl } : {}) }];
}

type BlockReader = (block: Json, log: LossLog) => readonly Part[];

const readers: Readonly<Record<string, BlockReader>> = {
  text: (block, log) => {
    const citations = block.get("citations");
    const owned = citations && citations.list.length > 0
      ? { owner: "claude" as const, raw: citations.raw }
      : undefined;
    const text = rawTextAt(block, "text", log) ?? '""';
    return [{ kind: "text", text, at: block.at, citations: owned }];
  },
  image: (block, log) => [mediaPart("image", block, log)],
  document: (block, log) => [mediaPart("document", block, log)],
  tool_use: (block, log) => [{
    kind: "call",
    id: textAt(block, "id", log) ?? "",
    name: textAt(block, "name", log) ?? "",
    args: argumentsOfJson(block.get("input")),
    at: block.at,
  }],
  tool_result: (block, log) => [{
    kind: "result",
    id: block.get("tool_use_id")?.text ?? "",
    content: readContent(block.get("content"), log).filter((part) => isResultPart(part, log)),
    error: block.get("is_error")?.flag === true,
    places: { content: block.get("content")?.at, error: block.get("is_error")?.at },
    at: block.at,
  }],
  thinking: (block, log) => {
    const signature = rawTextAt(block, "signature", log);
    const signed = signature === undefined || signature === '""'
      ? undefined
      : { owner: "claude" as const, raw: signature };
    const text = rawTextAt(block, "thinking", log) ?? '""';
    return [{ kind: "thinking", text, at: block.at, signature: signed }];
  },
  redacted_thinking: (block, log) => [{
    kind: "redacted",
    owner: "claude",
    data: rawTextAt(block, "data", log) ?? '""',
    at: block.at,
  }],
};

function readBlock(block: Json, log: LossLog): readonly Part[] {
  const type = block.get("type")?.text ?? "";
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read) return read(block, log);
  const what = `a block of the type ${JSON.stringify(type.slice(0, 40))}`;
  return [{ kind: "opaque", owner: "claude", raw: block.raw, at: block.at, what }];
}

function isResultPart(part: Part, log: LossLog): part is TextPart | MediaPart | JsonPart & Part {
  if (part.kind === "text" || part.kind === "media") return true;
  if (part.kind !== "cache") log.dropped(part.at, "a tool's result cannot hold this");
  return false;
}

function mediaPart(media: "image" | "document", block: Json, log: LossLog): MediaPart {
  const source = block.get("source");
  const read = source && sourceOf(source);
  if (!source || !read) log.refuse(block.at, "the source of this is of a form that is not known");
  return {
    kind: "media",
    media,
    mime: (source.get("media_type")?.text ?? "").toLowerCase(),
    from: read,
    at: block.at,
    name: rawTextAt(block, "title", log),
    context: rawTextAt(block, "context", log),
    cite: block.get("citations")?.get("enabled")?.flag,
    places: {
      name: block.get("title")?.at,
      context: block.get("context")?.at,
      cite: block.get("citations")?.at,
    },
  };
}

function sourceOf(source: Json): MediaSource | undefined {
  const raw = (name: string): Raw | undefined => {
    const value = source.get(name);
    return value?.kind === "string" ? value.raw : undefined;
  };
  const data = raw("data");
  switch (source.get("type")?.text) {
    case "base64":
      return data === undefined ? undefined : { in: "data", data };
    case "text":
      return data === undefined ? undefined : { in: "text", text: data };
    case "url": {
      const url = raw("url");
      return url === undefined ? undefined : { in: "url", url };
    }
    case "file": {
      const id = raw("file_id");
      return id === undefined ? undefined : { in: "file", owner: "claude", id };
    }
    case "content": {
      const content = source.get("content");
      if (content?.kind === "string") return { in: "text", text: content.raw };
      const texts = (content?.list ?? []).flatMap((block) => block.get("text")?.text ?? []);
      return texts.length > 0 ? { in: "text", text: JSON.stringify(texts.join("\n")) } : undefined;
    }
    default:
      return undefined;
  }
}
