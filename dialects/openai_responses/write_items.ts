/** Turns written as items of a Responses input. */
import type { ChatRequest, MediaPart, Part, ResultPart } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { sniffedType } from "../media.ts";
import { dataUrlOf, fileName } from "../openai_chat/media.ts";
import { array, joinTexts, object, quote } from "../raw.ts";
import { argumentsText, resultMedia, resultText, resultTexts } from "../tool_values.ts";
import { reportCitations, reportMediaExtras, reportPart } from "../writing.ts";

/** The items of the request, in their true order. */
export function writeItems(request: ChatRequest, names: ToolNames, context: RequestContext): Raw[] {
  const writer = new ItemWriter(names, context);
  const items = request.turns.flatMap(({ role, parts }) => writer.turn(role, parts));
  writer.end();
  if (items.length === 0) context.refuse(undefined, "the record has no message");
  const last = request.turns.at(-1);
  if (last?.role === "assistant") {
    context.approximated(last.at, "the target does not continue a last message of the assistant");
  }
  return items;
}

class ItemWriter {
  readonly #names: ToolNames;
  readonly #context: RequestContext;
  /** Where calls stand whose results have not come, by their ids; several may have the same. */
  readonly #open = new Map<string, number[]>();
  #refusals = 0;

  constructor(names: ToolNames, context: RequestContext) {
    this.#names = names;
    this.#context = context;
  }

  turn(role: "user" | "assistant" | "system", parts: readonly Part[]): Raw[] {
    const items: Raw[] = [];
    let content: Raw[] = [];
    const close = () => {
      if (content.length > 0) items.push(this.#message(role, content));
      content = [];
    };
    for (const part of parts) {
      if (part.kind === "call") {
        close();
        const same = this.#open.get(part.id);
        if (same) same.push(part.at);
        else this.#open.set(part.id, [part.at]);
        items.push(object(
          ["type", '"function_call"'],
          ["call_id", quote(part.id)],
          ["name", quote(this.#names.sent(part.name))],
          ["arguments", argumentsText(part)],
        ));
      } else if (part.kind === "result" && this.#open.get(part.id)?.pop() !== undefined) {
        close();
        items.push(this.#result(part));
      } else if (role === "assistant") items.push(...this.#assistant(part));
      else content.push(...this.#part(part));
    }
    close();
    return items;
  }

  /** Refuses a record in which a call has no result. */
  end(): void {
    for (const at of [...this.#open.values()].flat()) {
      this.#context.refuse(at, "a tool is called here, and no result of it follows");
    }
  }

  #message(role: string, content: readonly Raw[]): Raw {
    return object(
      ["type", '"message"'],
      ["role", quote(role)],
      ["content", array(content)],
    );
  }

  #result(result: ResultPart): Raw {
    if (result.error) {
      const reason = "the target has no mark for a result that is an error; its text is kept";
      this.#context.dropped(result.places?.error ?? result.at, reason);
    }
    const texts = resultTexts(result).map(resultText);
    const media = resultMedia(result);
    const output = media.length === 0 ? joinTexts(texts.length > 0 ? texts : ['""']) : array([
      ...texts.map((text) => object(["type", '"input_text"'], ["text", text])),
      ...media.map((part) => this.#media(part)),
    ]);
    return object(
      ["type", '"function_call_output"'],
      ["call_id", quote(result.id)],
      ["output", output],
    );
  }

  /**
   * A part of the assistant as a message of its own: without the id and status of an answer, the API's
   * types take its text only bare.
   */
  #assistant(part: Part): Raw[] {
    const head = [["type", '"message"'], ["role", '"assistant"']] as const;
    if (part.kind === "text") {
      reportCitations(part, this.#context);
      return [object(...head, ["content", part.text])];
    }
    if (part.kind !== "refusal") {
      const content = this.#part(part);
      return content.length > 0 ? [object(...head, ["content", array(content)])] : [];
    }
    this.#refusals += 1;
    const words = object(["type", '"refusal"'], ["refusal", part.text]);
    const answer = [["id", quote(`msg_${this.#refusals}`)], ["status", '"completed"']] as const;
    return [object(...answer, ...head, ["content", array([words])])];
  }

  #part(part: Part): Raw[] {
    const type = '"input_text"';
    switch (part.kind) {
      case "text":
      case "refusal":
        reportCitations(part, this.#context);
        return [object(["type", type], ["text", part.text])];
      case "media":
        return [this.#media(part)];
      case "result": {
        const reason = "sent as text: no call of a tool stands before this result";
        this.#context.approximated(part.at, reason);
        return resultTexts(part).map((text) => object(["type", type], ["text", resultText(text)]));
      }
      default:
        reportPart(part, this.#context);
        return [];
    }
  }

  #media(part: MediaPart): Raw {
    const { from, at, media, mime, name, detail } = part;
    if (media === "image") {
      reportMediaExtras(part, ["detail"], this.#context);
      const type = from.in === "data" ? sniffedType(from.data) ?? mime : mime;
      const url = from.in === "data"
        ? dataUrlOf(type, from.data)
        : from.in === "url"
        ? from.url
        : undefined;
      if (url === undefined) this.#context.refuse(at, "the target cannot read images from there");
      // The SDK's type requires the detail.
      return object(["type", '"input_image"'], ["image_url", url], ["detail", detail ?? '"auto"']);
    }
    if (media !== "document") this.#context.refuse(at, `the target takes no ${media}`);
    reportMediaExtras(part, from.in === "data" ? ["name"] : [], this.#context);
    if (from.in === "text") return object(["type", '"input_text"'], ["text", from.text]);
    if (from.in === "url") return object(["type", '"input_file"'], ["file_url", from.url]);
    if (from.in === "file" && from.owner === "openai") {
      return object(["type", '"input_file"'], ["file_id", from.id]);
    }
    if (from.in !== "data") this.#context.refuse(at, "the target cannot read documents from there");
    const type = sniffedType(from.data) ?? mime;
    if (type !== "application/pdf") this.#context.refuse(at, "the target takes PDF documents only");
    return object(
      ["type", '"input_file"'],
      ["filename", fileName(name, "pdf")],
      ["file_data", dataUrlOf(type, from.data)],
    );
  }
}
