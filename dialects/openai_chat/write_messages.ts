/** Turns written as messages of chat completions. */
import type { CallPart, ChatRequest, MediaPart, Part, ResultPart, Turn } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { sniffedType } from "../media.ts";
import { array, joinTexts, object, quote, someArray } from "../raw.ts";
import { argumentsText, resultMedia, resultText, resultTexts } from "../tool_values.ts";
import { reportCitations, reportMediaExtras, reportPart } from "../writing.ts";
import { dataUrlOf, fileName } from "./media.ts";

/** The messages of a request, system prompts first and in their places. */
export function writeMessages(
  request: ChatRequest,
  names: ToolNames,
  context: RequestContext,
): Raw[] {
  // Models that reason take the role developer; they also take system, which means the same there.
  const messages = request.system.length > 0 ? [systemMessage(request.system, context)] : [];
  const writer = new MessageWriter(names, context);
  for (const turn of request.turns) messages.push(...writer.turn(turn));
  writer.end();
  if (messages.length === 0) context.refuse(undefined, "the record has no message");
  const last = request.turns.at(-1);
  if (last?.role === "assistant") {
    context.approximated(last.at, "the target does not continue a last message of the assistant");
  }
  return messages;
}

function systemMessage(parts: readonly Part[], context: RequestContext): Raw {
  const texts: Raw[] = [];
  for (const part of parts) {
    if (part.kind === "text") texts.push(part.text);
    else reportPart(part, context);
  }
  return object(["role", '"system"'], ["content", textContent(texts)]);
}

/** One text as text, several as parts: their borders stay. */
function textContent(texts: readonly Raw[]): Raw {
  if (texts.length < 2) return texts[0] ?? '""';
  return array(texts.map((text) => object(["type", '"text"'], ["text", text])));
}

class MessageWriter {
  readonly #names: ToolNames;
  readonly #context: RequestContext;
  /** Calls whose results have not come, by their ids; several may have the same. */
  #open: Map<string, CallPart[]> | undefined;

  constructor(names: ToolNames, context: RequestContext) {
    this.#names = names;
    this.#context = context;
  }

  turn({ role, parts, name, at }: Turn): Raw[] {
    if (role === "system") return [systemMessage(parts, this.#context)];
    if (role === "assistant") {
      this.end();
      return [this.#assistant(parts)];
    }
    const paired = this.#pairedResults(parts);
    const others = this.#otherParts(parts, paired);
    const user: Raw[] = [];
    if (others.some(({ kind }) => kind !== "cache")) {
      const content = this.#content(others);
      // Of parts that have no counterpart there is nothing left; the results keep the turn's place.
      if (content !== "[]" || paired.length === 0) {
        const text = content === "[]" ? '""' : content;
        user.push(object(["role", '"user"'], ["content", text], ["name", name?.raw]));
      }
    } else {
      for (const part of others) reportPart(part, this.#context);
    }
    const messages = [...paired.map((result) => this.#result(result)), ...user];
    // A turn of nothing is a message of nothing: it keeps its place.
    if (messages.length === 0 && at >= 0) {
      return parts.length === 0 ? [object(["role", '"user"'], ["content", '""'])] : [];
    }
    return messages;
  }

  /** The results among the parts whose calls stand before. */
  #pairedResults(parts: readonly Part[]): ResultPart[] {
    const paired: ResultPart[] = [];
    for (const part of parts) {
      if (part.kind === "result" && this.#open?.get(part.id)?.pop()) paired.push(part);
    }
    return paired;
  }

  /** What a user's message holds beside those results: their images are moved there. */
  #otherParts(parts: readonly Part[], paired: readonly ResultPart[]): readonly Part[] {
    if (parts.every(({ kind }) => kind !== "result")) return parts;
    const isPaired = new Set<Part>(paired);
    const images = paired.flatMap((result) => resultMedia(result));
    return [
      ...images.map((image) => this.#moved(image)),
      ...parts.flatMap((part) =>
        part.kind !== "result" ? [part] : isPaired.has(part) ? [] : this.#loose(part)
      ),
    ];
  }

  /** Refuses a record in which a call has no result. */
  end(): void {
    if (!this.#open) return;
    for (const { at } of [...this.#open.values()].flat()) {
      this.#context.refuse(at, "a tool is called here, and no result of it follows");
    }
    this.#open = undefined;
  }

  #moved(image: MediaPart): MediaPart {
    const reason = "moved to a user message: the target takes only text in a tool's result";
    this.#context.approximated(image.at, reason);
    return image;
  }

  #loose(result: ResultPart): Part[] {
    const reason = "sent as text: no call of a tool stands before this result";
    this.#context.approximated(result.at, reason);
    const texts = resultTexts(result).map(resultText);
    return [{ kind: "text", text: joinTexts(texts.length > 0 ? texts : ['""']), at: result.at }];
  }

  #result(result: ResultPart): Raw {
    if (result.error) {
      const reason = "the target has no mark for a result that is an error; its text is kept";
      this.#context.dropped(result.places?.error ?? result.at, reason);
    }
    return object(
      ["role", '"tool"'],
      ["tool_call_id", quote(result.id)],
      ["content", textContent(resultTexts(result).map(resultText))],
    );
  }

  #assistant(parts: readonly Part[]): Raw {
    const texts: Raw[] = [];
    const calls: Raw[] = [];
    let refusal: Raw | undefined;
    for (const part of parts) {
      reportCitations(part, this.#context);
      if (part.kind === "text") texts.push(part.text);
      else if (part.kind === "call") calls.push(this.#call(part));
      else if (part.kind === "refusal") refusal = part.text;
      else reportPart(part, this.#context);
    }
    const isEmpty = texts.length === 0 && (calls.length > 0 || refusal !== undefined);
    return object(
      ["role", '"assistant"'],
      ["content", isEmpty ? "null" : textContent(texts)],
      ["refusal", refusal],
      ["tool_calls", someArray(calls)],
    );
  }

  #call(part: CallPart): Raw {
    this.#open ??= new Map();
    const same = this.#open.get(part.id);
    if (same) same.push(part);
    else this.#open.set(part.id, [part]);
    const called = object(
      ["name", quote(this.#names.sent(part.name))],
      ["arguments", argumentsText(part)],
    );
    return object(["id", quote(part.id)], ["type", '"function"'], ["function", called]);
  }

  #content(parts: readonly Part[]): Raw {
    const [first] = parts;
    if (parts.length === 1 && first?.kind === "text") return first.text;
    const written: Raw[] = [];
    for (const part of parts) {
      const raw = this.#part(part);
      if (raw !== undefined) written.push(raw);
    }
    const hasCache = parts.some(({ kind }) => kind === "cache");
    const content = hasCache ? parts.filter(({ kind }) => kind !== "cache") : parts;
    const [only] = content;
    return content.length === 1 && only?.kind === "text" ? only.text : array(written);
  }

  #part(part: Part): Raw | undefined {
    if (part.kind === "text" || part.kind === "refusal") {
      return object(["type", '"text"'], ["text", part.text]);
    }
    if (part.kind === "media") return this.#media(part);
    reportPart(part, this.#context);
    return undefined;
  }

  #media(part: MediaPart): Raw {
    if (part.from.in === "s3") {
      this.#context.refuse(part.at, "the target cannot read media in S3");
    }
    switch (part.media) {
      case "image":
        return this.#image(part);
      case "document":
        return this.#document(part);
      case "audio":
        return this.#audio(part);
      case "video":
        return this.#context.refuse(part.at, "the target takes no video");
    }
  }

  #image(part: MediaPart): Raw {
    const { from, mime, detail, at } = part;
    reportMediaExtras(part, ["detail"], this.#context);
    if (from.in === "data" || from.in === "url") {
      const type = from.in === "data" ? sniffedType(from.data) ?? mime : mime;
      const url = from.in === "data" ? dataUrlOf(type, from.data) : from.url;
      return object(["type", '"image_url"'], [
        "image_url",
        object(["url", url], ["detail", detail]),
      ]);
    }
    return this.#context.refuse(at, "the target takes images as base64 or by URL");
  }

  #document(part: MediaPart): Raw {
    const { from, mime, name, at } = part;
    reportMediaExtras(part, from.in === "data" ? ["name"] : [], this.#context);
    // Plain text needs no file: it is what the model reads of one.
    if (from.in === "text") return object(["type", '"text"'], ["text", from.text]);
    if (from.in === "file" && from.owner === "openai") {
      return object(["type", '"file"'], ["file", object(["file_id", from.id])]);
    }
    if (from.in !== "data") this.#context.refuse(at, "the target takes documents as base64 only");
    const type = sniffedType(from.data) ?? mime;
    if (type !== "application/pdf") {
      this.#context.refuse(at, "the target takes PDF documents only");
    }
    const file = object(
      ["filename", fileName(name, "pdf")],
      ["file_data", dataUrlOf(type, from.data)],
    );
    return object(["type", '"file"'], ["file", file]);
  }

  #audio({ from, mime, at }: MediaPart): Raw {
    const format = /mp3|mpeg/.test(mime) ? '"mp3"' : /wav/.test(mime) ? '"wav"' : undefined;
    if (from.in !== "data" || format === undefined) {
      this.#context.refuse(at, "the target takes sound as base64 of WAV or MP3");
    }
    const audio = object(["data", from.data], ["format", format]);
    return object(["type", '"input_audio"'], ["input_audio", audio]);
  }
}
