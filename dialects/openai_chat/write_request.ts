/** Requests of OpenAI's chat completions, written from neutral form. */
import type { ChatRequest } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { effortOfBudget } from "../efforts.ts";
import { fitToolNames } from "../fit.ts";
import type { NameRule } from "../fit.ts";
import type { Raw } from "../json.ts";
import { array, object, quote, someArray } from "../raw.ts";
import type { Member } from "../raw.ts";
import { openaiFormat, strictToolSchema } from "../schemas/mod.ts";
import {
  refuseForcedServerTool,
  reportDropped,
  reportHints,
  reportNatives,
  unlessDefault,
} from "../writing.ts";
import { writeMessages } from "./write_messages.ts";

/** What OpenAI takes as the name of a function. */
export const openaiToolNames: NameRule = { max: 64 };

/** How many stop sequences chat completions takes. */
const maxStops = 4;

/** Writes the body of a request. */
export function writeRequest(request: ChatRequest, context: RequestContext): Raw {
  const names = fitToolNames(request, openaiToolNames);
  const messages = writeMessages(request, names, context);
  refuseForcedServerTool(request, context);
  reportNatives(request, context);
  reportDropped(context, { "top-k": request.topK });
  const functions = request.tools.flatMap((tool) => {
    if (tool.kind === "function") {
      const { parameters, strict } = strictToolSchema(tool, context);
      const described = object(
        ["name", quote(names.sent(tool.name))],
        ["description", tool.description],
        ["parameters", parameters],
        ["strict", strict ? "true" : undefined],
      );
      return [object(["type", '"function"'], ["function", described])];
    }
    context.dropped(tool.at, `the tool ${tool.what} runs at its own provider only`);
    return [];
  });
  const hasTools = functions.length > 0;
  return object(
    ["model", quote(context.model.id)],
    ["messages", array(messages)],
    ["tools", someArray(functions)],
    ["tool_choice", hasTools ? writeChoice(request, names.sent) : undefined],
    ["parallel_tool_calls", hasTools && request.parallel?.value === false ? "false" : undefined],
    ["n", request.answers && request.answers.value > 1 ? request.answers.raw : undefined],
    ["max_completion_tokens", request.maxOut?.raw],
    ...sampling(request, context),
    ["stop", someArray(stops(request, context))],
    ["seed", request.seed?.raw],
    ...penalties(request, context),
    ["response_format", openaiFormat(request.format, "chat", context)],
    ["reasoning_effort", effort(request, context)],
    ...extras(request, context),
  );
}

/**
 * Returns whether the model takes settings of sampling: models that reason refuse them, and what is
 * left out is reported. Also for Responses.
 */
export function takesSampling(
  { temperature, topP, logprobs }: ChatRequest,
  context: RequestContext,
): boolean {
  if (context.model.facts.sampling !== "none") return true;
  reportDropped(context, {
    "a temperature with this model": unlessDefault(temperature),
    "top-p with this model": unlessDefault(topP),
    "log probabilities with this model": logprobs,
  });
  return false;
}

function sampling(request: ChatRequest, context: RequestContext): readonly Member[] {
  if (!takesSampling(request, context)) return [];
  const { temperature, topP, logprobs } = request;
  return [
    ["temperature", temperature?.raw],
    ["top_p", topP?.raw],
    ["logprobs", logprobs ? "true" : undefined],
    ["top_logprobs", logprobs?.top?.raw],
  ];
}

function penalties(request: ChatRequest, context: RequestContext): readonly Member[] {
  const { presencePenalty, frequencyPenalty, logitBias } = request;
  if (!context.model.facts.penalties) {
    reportDropped(context, {
      "a presence penalty with this model": presencePenalty,
      "a frequency penalty with this model": frequencyPenalty,
      "a logit bias with this model": logitBias,
    });
    return [];
  }
  return [
    ["presence_penalty", presencePenalty?.raw],
    ["frequency_penalty", frequencyPenalty?.raw],
    ["logit_bias", logitBias?.raw],
  ];
}

function stops({ stop }: ChatRequest, context: RequestContext): Raw[] {
  const { facts } = context.model;
  const kept: Raw[] = [];
  for (const { raw, at } of stop) {
    if (!facts.stop) context.dropped(at, "the model takes no stop sequences");
    else if (kept.length < maxStops) kept.push(raw);
    else context.dropped(at, `the target takes ${maxStops} stop sequences`);
  }
  return kept;
}

/** An effort of reasoning, made of a budget where there is none. Also for Responses. */
export function effort({ reasoning }: ChatRequest, context: RequestContext): Raw | undefined {
  if (!reasoning) return undefined;
  if (context.model.facts.thinking === "none") {
    if (reasoning.mode !== "off") {
      context.dropped(reasoning.at, "the model has no setting for reasoning");
    }
    return undefined;
  }
  if (reasoning.mode === "off") return '"none"';
  if (reasoning.effort) return quote(reasoning.effort);
  // Adaptive reasoning is what these models do without a setting.
  if (reasoning.mode === "adaptive" && !reasoning.budget) return undefined;
  const nearest = effortOfBudget(reasoning.budget?.value);
  const { at } = reasoning.budget ?? reasoning;
  context.approximated(at, `an effort (${nearest}) in place of a budget`);
  return quote(nearest);
}

function writeChoice(
  { choice }: ChatRequest,
  sent: (name: string) => string,
): Raw | undefined {
  switch (choice?.mode) {
    case undefined:
    case "auto":
      return undefined;
    case "any":
      return '"required"';
    case "none":
      return '"none"';
    case "tool":
      return namedFunction(sent(choice.name));
    case "allowed": {
      const tools = array(choice.names.map((name) => namedFunction(sent(name))));
      const mode = choice.must ? '"required"' : '"auto"';
      return object(
        ["type", '"allowed_tools"'],
        ["allowed_tools", object(["mode", mode], ["tools", tools])],
      );
    }
  }
}

function namedFunction(name: string): Raw {
  return object(["type", '"function"'], ["function", object(["name", quote(name)])]);
}

/** Members that do not change the answer. Pairs of metadata are OpenAI's where they are an object. */
function extras(request: ChatRequest, context: RequestContext): readonly Member[] {
  const { user, metadata, tier, cacheKey, store } = request;
  reportHints([metadata, tier], context);
  return [
    ["safety_identifier", user?.raw],
    ["prompt_cache_key", cacheKey?.raw.startsWith('"') ? cacheKey.raw : undefined],
    ["store", store?.value ? "true" : undefined],
  ];
}
