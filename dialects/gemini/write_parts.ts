/** Neutral parts written as Gemini's. */
import type { MediaPart, Part, ResultPart } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { wantsThoughtSignatures } from "../families.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { sniffedType } from "../media.ts";
import { array, isBlankText, joinTexts, object, quote } from "../raw.ts";
import { argumentsObject, resultMedia, resultText, resultTexts } from "../tool_values.ts";
import { reportCitations, reportMediaExtras, reportPart } from "../writing.ts";

/**
 * What Gemini 3 and later take in place of a signature on the first call of a turn
 * (ai.google.dev, "Thought signatures"). It costs quality, but they refuse a call without one.
 */
const signatureInPlace = '"skip_thought_signature_validator"';

/** The parts of one content. */
export function writeParts(
  parts: readonly Part[],
  context: RequestContext,
  names: ToolNames,
): Raw[] {
  const writer = new Writer(context, names);
  const images = parts.flatMap((part) => part.kind === "result" ? resultMedia(part) : []);
  const written = parts.flatMap((part) => writer.part(part));
  for (const image of images) {
    context.approximated(image.at, "put behind the results, which cannot hold media");
    written.push(writer.media(image));
  }
  return written.length > 0 ? written : ['{"text":"(empty)"}'];
}

class Writer {
  readonly #context: RequestContext;
  readonly #names: ToolNames;
  #calls = 0;

  constructor(context: RequestContext, names: ToolNames) {
    this.#context = context;
    this.#names = names;
  }

  part(part: Part): Raw[] {
    switch (part.kind) {
      case "text":
      case "refusal":
        reportCitations(part, this.#context);
        return isBlankText(part.text) ? [] : [object(["text", part.text])];
      case "media":
        return [this.media(part)];
      case "call": {
        this.#calls += 1;
        const needed = this.#calls === 1 && wantsThoughtSignatures(this.#context.model.id);
        const call = object(
          ["name", quote(this.#names.sent(part.name))],
          ["args", argumentsObject(part, this.#context)],
        );
        const signature = part.signature ?? (needed ? signatureInPlace : undefined);
        return [object(["functionCall", call], ["thoughtSignature", signature])];
      }
      case "result":
        return [this.#result(part)];
      default:
        reportPart(part, this.#context);
        return [];
    }
  }

  #result(result: ResultPart): Raw {
    const response = object([result.error ? "error" : "output", resultValue(result)]);
    const called = object(
      ["name", quote(this.#names.sent(result.name ?? ""))],
      ["response", response],
    );
    return object(["functionResponse", called]);
  }

  media(part: MediaPart): Raw {
    const { from, at, media } = part;
    reportMediaExtras(part, [], this.#context);
    if (from.in === "text") return object(["text", from.text]);
    if (from.in === "file" && from.owner === "gemini") {
      return object([
        "fileData",
        object(["mimeType", part.mime === "" ? undefined : quote(part.mime)], ["fileUri", from.id]),
      ]);
    }
    if (from.in !== "data") {
      this.#context.refuse(at, "the target reads no media by URL, from S3 or by another API's id");
    }
    const type = sniffedType(from.data) ?? (part.mime === "image/jpg" ? "image/jpeg" : part.mime);
    if (media === "document" && type !== "application/pdf" && !type.startsWith("text/")) {
      this.#context.refuse(at, "the target takes documents as PDF or text only");
    }
    return object(["inlineData", object(["mimeType", quote(type)], ["data", from.data])]);
  }
}

/** Returns whether JSON may have a member `$ref`, which may be written with escapes. */
function mayRefer(json: Raw): boolean {
  return /"(?:\$|\\u0024)(?:r|\\u0072)(?:e|\\u0065)(?:f|\\u0066)"\s*:/.test(json);
}

/** Returns what a result holds, as one value: texts joined, JSON as it is. */
function resultValue(result: ResultPart): Raw {
  const contents = resultTexts(result);
  if (contents.every(({ kind }) => kind === "text")) {
    return joinTexts(contents.length > 0 ? contents.map(resultText) : ['""']);
  }
  const values = contents.map((part) =>
    // A member $ref in a response would be read as a reference to a part (litellm#38223).
    part.kind === "json" && !mayRefer(part.json) ? part.json : resultText(part)
  );
  const [only, ...others] = values;
  return only !== undefined && others.length === 0 ? only : array(values);
}
