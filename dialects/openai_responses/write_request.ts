/** Requests of OpenAI's Responses, written from neutral form. */
import type { ChatRequest } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { fitToolNames } from "../fit.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { effort, openaiToolNames, takesSampling } from "../openai_chat/write_request.ts";
import { array, joinTexts, object, quote, someArray, someObject } from "../raw.ts";
import type { Member } from "../raw.ts";
import { openaiFormat, strictToolSchema } from "../schemas/mod.ts";
import {
  refuseForcedServerTool,
  refuseSeveralAnswers,
  reportDropped,
  reportHints,
  reportNames,
  reportNatives,
  reportPart,
} from "../writing.ts";
import { writeItems } from "./write_items.ts";

/** The least limit of an answer that Responses takes. */
const leastOutput = 16;

/** Writes the body of a request. */
export function writeRequest(request: ChatRequest, context: RequestContext): Raw {
  refuseSeveralAnswers(request, context);
  const names = fitToolNames(request, openaiToolNames);
  refuseForcedServerTool(request, context);
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

function sampling(request: ChatRequest, context: RequestContext): readonly Member[] {
  if (!takesSampling(request, context)) return [];
  const { temperature, topP, logprobs } = request;
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
