/** Content blocks of Converse and Nova, read into parts. */
import type { JsonPart, MediaPart, MediaSource, Part, TextPart } from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { mimeOf } from "../media.ts";
import { listAt, rawTextAt, textAt } from "../reading.ts";
import { argumentsOfJson } from "../tool_values.ts";

type BlockReader = (value: Json, at: number, log: LossLog) => readonly Part[];

const readers: Readonly<Record<string, BlockReader>> = {
  text: (value, at, log) => [textPart(value, at, log)],
  image: (value, at, log) => [mediaPart("image", value, at, log)],
  document: (value, at, log) => [mediaPart("document", value, at, log)],
  audio: (value, at, log) => [mediaPart("audio", value, at, log)],
  video: (value, at, log) => [mediaPart("video", value, at, log)],
  toolUse: (value, at, log) => [{
    kind: "call",
    at,
    id: textAt(value, "toolUseId", log) ?? "",
    name: textAt(value, "name", log) ?? "",
    args: argumentsOfJson(value.get("input")),
  }],
  toolResult: (value, at, log) => [{
    kind: "result",
    at,
    id: value.get("toolUseId")?.text ?? "",
    content: listAt(value, "content", log).flatMap((block) => resultContent(block, log)),
    error: value.get("status")?.text === "error",
    places: { content: value.get("content")?.at, error: value.get("status")?.at },
  }],
  reasoningContent: (value, at, log) => reasoning(value, at, log),
  citationsContent: (value, at, log) => {
    const citations = value.get("citations");
    return listAt(value, "content", log).flatMap((block) => {
      const text = block.get("text");
      if (!text) return [];
      const owned = citations && { owner: "bedrock" as const, raw: citations.raw };
      return [{ ...textPart(text, at, log), citations: owned }];
    });
  },
  cachePoint: (value) => {
    const ttl = value.get("ttl")?.text;
    return [{ kind: "cache", at: value.at, ...(ttl === "5m" || ttl === "1h" ? { ttl } : {}) }];
  },
  guardContent: (value, at, log) => {
    log.dropped(value.at, "the marks of a guardrail are known to Bedrock only; the text is kept");
    const text = value.get("text")?.get("text");
    return text ? [textPart(text, at, log)] : [];
  },
};

function textPart(value: Json, at: number, log: LossLog): TextPart {
  if (value.kind !== "string") log.refuse(value.at, "text is not a text");
  return { kind: "text", text: value.raw, at };
}

function reasoning(value: Json, at: number, log: LossLog): readonly Part[] {
  const redacted = value.get("redactedContent");
  if (redacted?.text !== undefined) {
    return [{ kind: "redacted", owner: "bedrock", data: redacted.raw, at }];
  }
  const inner = value.get("reasoningText");
  const signature = rawTextAt(inner, "signature", log);
  return [{
    kind: "thinking",
    text: rawTextAt(inner, "text", log) ?? '""',
    at,
    // Only Claude's models sign their reasoning on Bedrock.
    ...(signature === undefined ? {} : { signature: { owner: "claude", raw: signature } }),
  }];
}

function mediaPart(
  media: MediaPart["media"],
  value: Json,
  at: number,
  log: LossLog,
): MediaPart {
  return {
    kind: "media",
    media,
    mime: mimeOf(media, value.get("format")?.text ?? ""),
    from: sourceOf(value.get("source"), at, log),
    at,
    name: rawTextAt(value, "name", log),
    context: rawTextAt(value, "context", log),
    cite: value.get("citations")?.get("enabled")?.flag,
    places: {
      name: value.get("name")?.at,
      context: value.get("context")?.at,
      cite: value.get("citations")?.at,
    },
  };
}

function sourceOf(source: Json | undefined, at: number, log: LossLog): MediaSource {
  const bytes = source?.get("bytes");
  if (bytes?.kind === "string") return { in: "data", data: bytes.raw };
  const location = source?.get("s3Location");
  if (location) return { in: "s3", location: location.raw };
  const text = source?.get("text");
  if (text?.kind === "string") return { in: "text", text: text.raw };
  const content = source?.get("content")?.list ?? [];
  const texts = content.flatMap((block) => block.get("text")?.text ?? []);
  if (texts.length > 0) return { in: "text", text: JSON.stringify(texts.join("\n")) };
  log.refuse(source?.at ?? at, "this source is neither bytes, nor text, nor an S3 location");
}

function resultContent(
  block: Json,
  log: LossLog,
): readonly (TextPart | MediaPart | JsonPart)[] {
  const json = block.get("json");
  if (json) return [{ kind: "json", json: json.raw, at: block.at }];
  return readBlock(block, log).flatMap((part) => {
    if (part.kind === "text" || part.kind === "media") return [part];
    log.dropped(part.at, "a tool's result cannot hold this");
    return [];
  });
}

/** Reads content blocks, in order. */
export function readBlocks(blocks: readonly Json[], log: LossLog): Part[] {
  const parts: Part[] = [];
  for (const block of blocks) {
    const text = block.keys?.length === 1 ? block.get("text") : undefined;
    // Most blocks.
    if (text) parts.push(textPart(text, block.at, log));
    else parts.push(...readBlock(block, log));
  }
  return parts;
}

/** Reads a content block. One of an unknown kind is left out with a report. */
function readBlock(block: Json, log: LossLog): readonly Part[] {
  const parts: Part[] = [];
  for (const { name, value } of block.members()) {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read) parts.push(...read(value, block.at, log));
    else if (name !== "type") {
      parts.push({
        kind: "opaque",
        owner: "bedrock",
        raw: block.raw,
        at: block.at,
        what: `a block of the kind ${JSON.stringify(name.slice(0, 40))}`,
      });
    }
  }
  return parts;
}
