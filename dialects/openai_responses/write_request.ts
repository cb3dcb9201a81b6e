/** Requests of OpenAI's Responses, written from neutral form. */
import type { ChatRequest, MediaPart, Part, ResultPart } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { fitToolNames } from "../fit.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { sniffedType } from "../media.ts";
import { dataUrlOf, fileName } from "../openai_chat/media.ts";
import { effort, openaiToolNames } from "../openai_chat/write_request.ts";
import { array, joinTexts, object, quote, someArray, someObject } from "../raw.ts";
import { openaiFormat, strictToolSchema } from "../schemas/mod.ts";
import { argumentsText, resultMedia, resultText, resultTexts } from "../tool_values.ts";
import {
  refuseSeveralAnswers,
  reportCitations,
  reportDropped,
  reportHints,
  reportMediaExtras,
  reportNames,
  reportNatives,
  reportPart,
  unlessDefault,
} from "../writing.ts";

/** The least limit of an answer that Responses takes. */
const leastOutput = 16;

/** Writes the body of a request. */
export function writeRequest(request: ChatRequest, context: RequestContext): Raw {
  refuseSeveralAnswers(request, context);
  const names = fitToolNames(request, openaiToolNames);
  reportNatives(request, context);
  reportUnknown(request, context);
  const tools = writeTools(request, names, context);
  const summary = request.reasoning?.show === "summary" || request.reasoning?.show === "full";
  // Without a turn, the system prompt is the input: the API wants one.
  const isAlone = request.turns.length === 0;
  const turns = isAlone
    ? [{ role: "system" as const, parts: request.system, at: 0 }]
    : request.turns;
  return object(
    ["model", quote(context.model.id)],
    ["instructions", isAlone ? undefined : instructions(request, context)],
    ["input", array(writeItems({ ...request, turns }, names, context))],
    ["tools", tools],
    ["tool_choice", tools === undefined ? undefined : writeChoice(request, names)],
    ["parallel_tool_calls", tools && request.parallel?.value === false ? "false" : undefined],
    ["text", someObject(["format", openaiFormat(request.format, "responses", context)])],
    ["max_output_tokens", limit(request, context)],
    ...sampling(request, context),
    [
      "reasoning",
      someObject(
        ["effort", effort(request, context)],
        ["summary", summary ? '"auto"' : undefined],
      ),
    ],
    ["safety_identifier", request.user?.raw],
    ["prompt_cache_key", request.cacheKey?.raw.startsWith('"') ? request.cacheKey.raw : undefined],
    // Nothing of a batch should stay at the provider.
    ["store", request.store?.value ? "true" : "false"],
  );
}

function reportUnknown(request: ChatRequest, context: RequestContext): void {
  reportDropped(context, {
    "top-k": request.topK,
    "a seed": request.seed,
    "a presence penalty": request.presencePenalty,
    "a frequency penalty": request.frequencyPenalty,
    "a logit bias": request.logitBias,
  });
  for (const { at } of request.stop) context.dropped(at, "the target takes no stop sequences");
  reportHints([request.metadata, request.tier], context);
  reportNames(request, context);
}

function limit({ maxOut }: ChatRequest, context: RequestContext): Raw | undefined {
  if (!maxOut || maxOut.value >= leastOutput) return maxOut?.raw;
  context.approximated(maxOut.at, `set to ${leastOutput}, the target's least`);
  return String(leastOutput);
}

function sampling(
  { temperature, topP, logprobs }: ChatRequest,
  context: RequestContext,
): readonly (readonly [string, Raw | undefined])[] {
  if (context.model.facts.sampling === "none") {
    reportDropped(context, {
      "a temperature with this model": unlessDefault(temperature),
      "top-p with this model": unlessDefault(topP),
      "log probabilities with this model": logprobs,
    });
    return [];
  }
  return [
    ["temperature", temperature?.raw],
    ["top_p", topP?.raw],
    ["top_logprobs", logprobs ? logprobs.top?.raw ?? "0" : undefined],
    ["include", logprobs ? '["message.output_text.logprobs"]' : undefined],
  ];
}

function instructions({ system }: ChatRequest, context: RequestContext): Raw | undefined {
  const texts = system.flatMap((part) => {
    if (part.kind === "text") return [part.text];
    reportPart(part, context);
    return [];
  });
  return texts.length > 0 ? joinTexts(texts) : undefined;
}

function writeTools(
  { tools }: ChatRequest,
  names: ToolNames,
  context: RequestContext,
): Raw | undefined {
  return someArray(tools.flatMap((tool) => {
    if (tool.kind === "server") {
      context.dropped(tool.at, `the tool ${tool.what} runs at its own provider only`);
      return [];
    }
    const { parameters, strict } = strictToolSchema(tool, context);
    return [object(
      ["type", '"function"'],
      ["name", quote(names.sent(tool.name))],
      ["description", tool.description],
      ["parameters", parameters ?? "null"],
      ["strict", strict ? "true" : "false"],
    )];
  }));
}

function writeChoice({ choice }: ChatRequest, names: ToolNames): Raw | undefined {
  const named = (name: string) => object(["type", '"function"'], ["name", quote(names.sent(name))]);
  switch (choice?.mode) {
    case undefined:
    case "auto":
      return undefined;
    case "any":
      return '"required"';
    case "none":
      return '"none"';
    case "tool":
      return named(choice.name);
    case "allowed":
      return object(
        ["type", '"allowed_tools"'],
        ["mode", choice.must ? '"required"' : '"auto"'],
        ["tools", array(choice.names.map(named))],
      );
  }
}

function writeItems(request: ChatRequest, names: ToolNames, context: RequestContext): Raw[] {
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
      } else content.push(...this.#part(role, part));
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

  #part(role: string, part: Part): Raw[] {
    const type = role === "assistant" ? '"output_text"' : '"input_text"';
    switch (part.kind) {
      case "text":
        reportCitations(part, this.#context);
        return [object(["type", type], ["text", part.text])];
      case "refusal":
        return [object(["type", '"refusal"'], ["refusal", part.text])];
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
