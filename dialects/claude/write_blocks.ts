/** Parts written as content blocks of Anthropic's messages. */
import type { MediaPart, Part, ResultPart } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { commonImageType, sniffedType } from "../media.ts";
import { array, isBlankText, object, quote, textOfBase64 } from "../raw.ts";
import { argumentsObject, resultText } from "../tool_values.ts";
import { reportCitations, reportMediaExtras, reportPart } from "../writing.ts";

/** Where the body goes: Bedrock takes no URLs and no file ids. */
export type ClaudeForm = "anthropic" | "bedrock";

/** The blocks of a message, each with the cache point that stands behind it. */
export function writeBlocks(
  parts: readonly Part[],
  context: RequestContext,
  names: ToolNames,
  form: ClaudeForm,
): Raw[] {
  const ordered = thinkingFirst(parts);
  const writer = new Writer(context, names, form);
  ordered.forEach((part, index) => {
    if (part.kind === "cache" && !bearsCache(ordered[index - 1])) reportPart(part, context);
  });
  const blocks = ordered.flatMap((part, index) => writer.block(part, ordered[index + 1]));
  return blocks.length > 0 ? blocks : ['{"type":"text","text":"(empty)"}'];
}

/**
 * Returns whether a cache point can stand on a part: not on thinking, and not on another cache
 * point.
 */
function bearsCache(part: Part | undefined): boolean {
  return part?.kind === "text" || part?.kind === "media" || part?.kind === "call" ||
    part?.kind === "result" || part?.kind === "refusal";
}

/** Claude wants thinking before all else, and calls behind the texts. */
function thinkingFirst(parts: readonly Part[]): readonly Part[] {
  if (!parts.some(({ kind }) => kind === "call" || kind === "thinking" || kind === "redacted")) {
    return parts;
  }
  const sorted: Part[] = [];
  let stretch: Part[] = [];
  const close = () => {
    sorted.push(...stretch.filter(({ kind }) => kind !== "call"));
    sorted.push(...stretch.filter(({ kind }) => kind === "call"));
    stretch = [];
  };
  for (const part of parts) {
    if (part.kind === "thinking" || part.kind === "redacted") {
      close();
      sorted.push(part);
    } else stretch.push(part);
  }
  close();
  return sorted;
}

class Writer {
  readonly #context: RequestContext;
  readonly #names: ToolNames;
  readonly #form: ClaudeForm;

  constructor(context: RequestContext, names: ToolNames, form: ClaudeForm) {
    this.#context = context;
    this.#names = names;
    this.#form = form;
  }

  block(part: Part, next?: Part): Raw[] {
    const control = next?.kind === "cache" ? cacheControl(next.ttl) : undefined;
    switch (part.kind) {
      case "text": {
        const own = part.citations?.owner === "claude" ? part.citations.raw : undefined;
        if (own === undefined) reportCitations(part, this.#context);
        return [object(
          ["type", '"text"'],
          ["text", part.text],
          ["citations", own],
          ["cache_control", control],
        )];
      }
      case "refusal":
        return [object(["type", '"text"'], ["text", part.text], ["cache_control", control])];
      case "media":
        return [this.#media(part, control)];
      case "call":
        return [object(
          ["type", '"tool_use"'],
          ["id", quote(part.id)],
          ["name", quote(this.#names.sent(part.name))],
          ["input", argumentsObject(part, this.#context)],
          ["cache_control", control],
        )];
      case "result":
        return [this.#result(part, control)];
      case "cache":
        return [];
      case "thinking":
        if (part.signature?.owner !== "claude") break;
        return [object(
          ["type", '"thinking"'],
          ["thinking", part.text],
          ["signature", part.signature.raw],
        )];
      case "redacted": {
        // Converse holds the base64 of Claude's own text.
        const data = part.owner === "claude" ? part.data : textOfBase64(part.data);
        if (data === undefined) break;
        return [object(["type", '"redacted_thinking"'], ["data", data])];
      }
    }
    reportPart(part, this.#context);
    return [];
  }

  #result({ id, content, error, at, places }: ResultPart, control: Raw | undefined): Raw {
    const blocks = content.flatMap((part) => {
      if (part.kind === "media") return [this.#media(part, undefined)];
      const text = resultText(part);
      return isBlankText(text) ? [] : [object(["type", '"text"'], ["text", text])];
    });
    if (blocks.length === 0) {
      const place = places?.content ?? at;
      this.#context.hint("approximated", place, "an empty result holds the text (empty)");
      blocks.push('{"type":"text","text":"(empty)"}');
    }
    return object(
      ["type", '"tool_result"'],
      ["tool_use_id", quote(id)],
      ["content", array(blocks)],
      ["is_error", error ? "true" : undefined],
      ["cache_control", control],
    );
  }

  #media(part: MediaPart, control: Raw | undefined): Raw {
    const { media, at } = part;
    reportMediaExtras(part, media === "document" ? ["name", "context", "cite"] : [], this.#context);
    if (media === "audio" || media === "video") {
      this.#context.refuse(at, `the target takes no ${media}`);
    }
    const source = media === "image" ? this.#imageSource(part) : this.#documentSource(part);
    return object(
      ["type", quote(media)],
      ["source", source],
      ["title", media === "document" ? part.name : undefined],
      ["context", media === "document" ? part.context : undefined],
      ["citations", part.cite && media === "document" ? '{"enabled":true}' : undefined],
      ["cache_control", control],
    );
  }

  #imageSource(part: MediaPart): Raw {
    const { from, at } = part;
    if (from.in === "data") {
      const type = commonImageType(part);
      if (type === undefined) this.#context.refuse(at, "the target takes no such image type");
      return base64Source(type, from.data);
    }
    return this.#otherSource(part);
  }

  #documentSource(part: MediaPart): Raw {
    const { from, at, mime } = part;
    if (from.in === "text") return textSource(from.text);
    if (from.in !== "data") return this.#otherSource(part);
    const type = sniffedType(from.data) ?? mime;
    if (type === "application/pdf") return base64Source(type, from.data);
    if (type === "text/plain" || type === "text/markdown") {
      const text = textOfBase64(from.data);
      if (text !== undefined) return textSource(text);
    }
    return this.#context.refuse(at, "the target takes documents as PDF or plain text only");
  }

  #otherSource({ from, at }: MediaPart): Raw {
    if (this.#form === "anthropic" && from.in === "url") {
      return object(["type", '"url"'], ["url", from.url]);
    }
    if (this.#form === "anthropic" && from.in === "file" && from.owner === "claude") {
      return object(["type", '"file"'], ["file_id", from.id]);
    }
    return this.#context.refuse(at, "the target cannot read media from there");
  }
}

function base64Source(type: string, data: Raw): Raw {
  return object(["type", '"base64"'], ["media_type", quote(type)], ["data", data]);
}

function textSource(text: Raw): Raw {
  return object(["type", '"text"'], ["media_type", '"text/plain"'], ["data", text]);
}

/** A cache point as Claude's blocks bear it. */
function cacheControl(ttl: "5m" | "1h" | undefined): Raw {
  return object(["type", '"ephemeral"'], ["ttl", ttl === "1h" ? '"1h"' : undefined]);
}
