/** Parts written as content blocks of Converse and Nova. */
import type { MediaPart, Part, ResultPart } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { NameRule, ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { commonImageType, formatOf } from "../media.ts";
import { array, base64OfText, isBlankText, object, quote, unquote } from "../raw.ts";
import { argumentsObject } from "../tool_values.ts";
import { reportCitations, reportMediaExtras, reportPart } from "../writing.ts";

/** Whose body it is. */
export type ConverseForm = "converse" | "nova";

/** What Bedrock takes as the name of a tool (botocore 1.44.8). */
export const converseToolNames: NameRule = { max: 64 };

type CachePart = Extract<Part, { kind: "cache" }>;

/** Document formats that Converse names. */
const documentFormats: ReadonlySet<string> = new Set(
  ["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"],
);

/** Writes the blocks of one record; it counts documents, whose names must differ. */
export interface BlockWriter {
  /** The blocks of a message. */
  message(role: "user" | "assistant", parts: readonly Part[], at: number): Raw[];
  system(parts: readonly Part[]): Raw[];
}

/** Begins to write the blocks of a record. */
export function createBlockWriter(
  context: RequestContext,
  names: ToolNames,
  form: ConverseForm,
): BlockWriter {
  return new Writer(context, names, form);
}

class Writer implements BlockWriter {
  readonly #context: RequestContext;
  readonly #names: ToolNames;
  readonly #form: ConverseForm;
  readonly #documents = new Map<string, number>();

  constructor(context: RequestContext, names: ToolNames, form: ConverseForm) {
    this.#context = context;
    this.#names = names;
    this.#form = form;
  }

  message(role: "user" | "assistant", parts: readonly Part[], at: number): Raw[] {
    const isDocument = (part: Part) => part.kind === "media" && part.media === "document";
    const needsText = parts.some(isDocument) && !parts.some(({ kind }) => kind === "text");
    if (needsText) {
      this.#context.hint("approximated", at, "a text was added: a document needs one beside it");
    }
    const whole: readonly Part[] = needsText
      ? [...parts, { kind: "text", text: '"(document)"', at }]
      : parts;
    const ordered = role === "assistant" ? callsLast(whole) : cachesBehindTexts(whole);
    const blocks = ordered.flatMap((part, index) => this.#block(part, ordered, index));
    return blocks.length > 0 ? blocks : [object(["text", '"(empty)"'])];
  }

  system(parts: readonly Part[]): Raw[] {
    return parts.flatMap((part, index) => {
      if (part.kind === "text" || part.kind === "cache") return this.#block(part, parts, index);
      this.#context.dropped(part.at, "a system prompt can only hold text");
      return [];
    });
  }

  #block(part: Part, parts: readonly Part[], index: number): Raw[] {
    switch (part.kind) {
      case "text":
        reportCitations(part, this.#context);
        return [this.#text(part.text, parts[index + 1])];
      case "refusal":
        return [object(["text", part.text])];
      case "media":
        return [this.#media(part)];
      case "call": {
        const { id, name } = part;
        const input = argumentsObject(part, this.#context);
        const call = [["toolUseId", quote(id)], ["name", quote(this.#names.sent(name))]] as const;
        return [object(["toolUse", object(...call, ["input", input])])];
      }
      case "result":
        return [object(["toolResult", this.#result(part)])];
      case "cache":
        return this.#cache(part, parts[index - 1]);
      default:
        return this.#reasoning(part);
    }
  }

  /** Nova takes a cache point inside the text block, Converse as a block of its own. */
  #text(text: Raw, next: Part | undefined): Raw {
    const cached = this.#form === "nova" && next?.kind === "cache";
    return object(["text", text], ["cachePoint", cached ? '{"type":"default"}' : undefined]);
  }

  #cache(part: CachePart, before: Part | undefined): Raw[] {
    const { ttl } = part;
    const isBorne = this.#form === "nova" && before?.kind === "text";
    if (isBorne) return [];
    if (this.#form === "nova" || before === undefined || before.kind === "cache") {
      reportPart(part, this.#context);
      return [];
    }
    const point = object(["type", '"default"'], ["ttl", ttl === "1h" ? '"1h"' : undefined]);
    return [object(["cachePoint", point])];
  }

  #reasoning(part: Part): Raw[] {
    const { family } = this.#context.model.facts;
    if (family === "claude" && this.#form === "converse") {
      if (part.kind === "thinking" && part.signature?.owner === "claude") {
        const text = object(["text", part.text], ["signature", part.signature.raw]);
        return [object(["reasoningContent", object(["reasoningText", text])])];
      }
      if (part.kind === "redacted") {
        // Converse holds the base64 of Claude's own text.
        const data = part.owner === "bedrock" ? part.data : base64OfText(part.data);
        return [object(["reasoningContent", object(["redactedContent", data])])];
      }
    }
    reportPart(part, this.#context);
    return [];
  }

  #media(part: MediaPart): Raw {
    const { from, at, media } = part;
    const isDocument = media === "document";
    const kept = isDocument ? ["name", "context"] as const : [];
    const cites = isDocument && this.#form === "converse" ? ["cite"] as const : [];
    reportMediaExtras(part, [...kept, ...cites], this.#context);
    if (from.in === "url" || from.in === "file") {
      this.#context.refuse(at, "the target takes no media by URL or by another API's file id");
    }
    if (from.in === "text" && media !== "document") {
      this.#context.refuse(at, "the target takes no text as this kind of media");
    }
    const source = from.in === "data"
      ? object(["bytes", from.data])
      : from.in === "s3"
      ? object(["s3Location", from.location])
      : object(["text", from.text]);
    const format = this.#format(part);
    const name = isDocument ? this.#documentName(part) : undefined;
    const cite = part.cite && isDocument && this.#form === "converse";
    return object([
      media,
      object(
        ["name", name],
        ["format", quote(format)],
        ["source", source],
        ["context", isDocument ? part.context : undefined],
        ["citations", cite ? '{"enabled":true}' : undefined],
      ),
    ]);
  }

  #format(part: MediaPart): string {
    if (part.media === "image") {
      const type = part.from.in === "s3" ? part.mime : commonImageType(part);
      if (type === undefined) this.#context.refuse(part.at, "the target takes no such image type");
      return formatOf(type);
    }
    const format = part.from.in === "text" && part.mime === "" ? "txt" : formatOf(part.mime);
    if (part.media === "document" && !documentFormats.has(format)) {
      this.#context.refuse(part.at, "the target takes no documents of this type");
    }
    return format;
  }

  /** A name of the characters that Bedrock allows, that no other document of the record has. */
  #documentName({ name, at, places }: MediaPart): Raw {
    const given = name === undefined ? "document" : unquote(name);
    const plain = given.replace(/\.[A-Za-z0-9]{1,5}$/, "").replace(/[^A-Za-z0-9()[\]-]+/g, " ")
      .trim().slice(0, 190) || "document";
    let count = this.#documents.get(plain) ?? 0;
    let unique = plain;
    for (; this.#documents.has(unique); count++) unique = `${plain} ${count + 1}`;
    this.#documents.set(plain, Math.max(count, 1));
    if (unique !== plain) this.#documents.set(unique, 1);
    if (name !== undefined && unique !== given) {
      const reason = "the name was fitted to the characters that the target takes";
      this.#context.hint("approximated", places?.name ?? at, reason);
    }
    return quote(unique);
  }

  #result({ id, content, error, at, places }: ResultPart): Raw {
    const blocks = content.flatMap((part) => {
      if (part.kind === "media") return [this.#media(part)];
      if (part.kind === "text") return isBlankText(part.text) ? [] : [object(["text", part.text])];
      // `json` must be an object.
      return [
        part.json.startsWith("{")
          ? object(["json", part.json])
          : object(["text", quote(part.json)]),
      ];
    });
    if (blocks.length === 0) {
      blocks.push(object(["text", '"(empty)"']));
      const place = places?.content ?? at;
      this.#context.hint("approximated", place, "an empty result holds the text (empty)");
    }
    return object(
      ["toolUseId", quote(id)],
      ["content", array(blocks)],
      ["status", error ? '"error"' : undefined],
    );
  }
}

/**
 * Right behind a document, Bedrock refuses a cache point: it moves behind the next text, else behind
 * the last one.
 */
function cachesBehindTexts(parts: readonly Part[]): readonly Part[] {
  const sorted: Part[] = [];
  let waiting: CachePart[] = [];
  for (const part of parts) {
    const last = sorted.at(-1);
    if (part.kind === "cache" && last?.kind === "media" && last.media === "document") {
      waiting.push(part);
      continue;
    }
    sorted.push(part);
    if (part.kind !== "text") continue;
    sorted.push(...waiting);
    waiting = [];
  }
  sorted.splice(sorted.findLastIndex(({ kind }) => kind === "text") + 1, 0, ...waiting);
  return sorted;
}

function callsLast(parts: readonly Part[]): readonly Part[] {
  const isCall = ({ kind }: Part) => kind === "call";
  const isThought = ({ kind }: Part) => kind === "thinking" || kind === "redacted";
  // Between thinking and a call nothing may move: only texts behind calls are brought before them.
  if (!parts.some(isCall) || parts.some(isThought)) return parts;
  return [...parts.filter((part) => !isCall(part)), ...parts.filter(isCall)];
}
