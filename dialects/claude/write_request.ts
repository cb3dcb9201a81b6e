/** Requests of Anthropic's messages, and of Claude's InvokeModel, written from neutral form. */
import type { ChatRequest } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { fitToolNames } from "../fit.ts";
import type { NameRule, ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { array, object, quote, someArray, someObject, unquote } from "../raw.ts";
import { claudeFormat, toolSchemaObject } from "../schemas/mod.ts";
import { alternatingTurns, endedTurns } from "../turns.ts";
import type { AlternatingTurn } from "../turns.ts";
import {
  calledNames,
  refuseForcedServerTool,
  refuseSeveralAnswers,
  reportDropped,
  reportHints,
  reportNatives,
} from "../writing.ts";
import { claudeSampling } from "./sampling.ts";
import { claudeEffort, claudeThinking, isThinking } from "./thinking.ts";
import { writeBlocks } from "./write_blocks.ts";
import type { ClaudeForm } from "./write_blocks.ts";

/** What Anthropic takes as the name of a tool; 64 characters, so that every target takes it. */
export const claudeToolNames: NameRule = { max: 64 };

/** Writes the body of a request. */
export function writeRequest(
  request: ChatRequest,
  context: RequestContext,
  form: ClaudeForm,
): Raw {
  refuseSeveralAnswers(request, context);
  const names = fitToolNames(request, claudeToolNames);
  const { system, turns } = alternatingTurns(request, { assistantMedia: false }, context);
  const messages = endedTurns(turns, context.model.facts.prefill, context).map(({ role, parts }) =>
    object(["role", quote(role)], ["content", array(writeBlocks(parts, context, names, form))])
  );
  refuseForcedServerTool(request, context);
  reportNatives(request, context);
  reportUnknown(request, context);
  const thinking = claudeThinking(request, context);
  const { temperature, topP, topK } = claudeSampling(request, context, isThinking(thinking));
  const tools = writeTools(request, names, turns, context);
  return object(
    ["anthropic_version", form === "bedrock" ? '"bedrock-2023-05-31"' : undefined],
    ["model", form === "anthropic" ? quote(context.model.id) : undefined],
    ["max_tokens", request.maxOut?.raw ?? String(context.model.facts.maxOutput)],
    [
      "system",
      system.length > 0 ? array(writeBlocks(system, context, names, form)) : undefined,
    ],
    ["messages", array(messages)],
    ["temperature", temperature],
    ["top_p", topP],
    ["top_k", topK],
    ["stop_sequences", someArray(stops(request, context))],
    ["tools", someArray(tools)],
    [
      "tool_choice",
      tools.length > 0 ? choice(request, names, context, isThinking(thinking)) : undefined,
    ],
    ["thinking", thinking],
    [
      "output_config",
      someObject(
        ["effort", claudeEffort(request, context)],
        ["format", claudeFormat(request.format, context, context.model.facts.structured)],
      ),
    ],
    ["metadata", user(request, context)],
    ["service_tier", form === "anthropic" ? tier(request, context) : undefined],
  );
}

function reportUnknown(request: ChatRequest, context: RequestContext): void {
  reportDropped(context, {
    "a seed": request.seed,
    "a presence penalty": request.presencePenalty,
    "a frequency penalty": request.frequencyPenalty,
    "a logit bias": request.logitBias,
    "log probabilities": request.logprobs,
  });
  reportHints([request.metadata, request.cacheKey], context);
  if (request.store?.value) {
    context.hint("dropped", request.store.at, "the target stores no answers");
  }
}

function stops({ stop }: ChatRequest, context: RequestContext): Raw[] {
  return stop.flatMap(({ raw, at }) => {
    if (unquote(raw).trim() !== "") return [raw];
    context.dropped(at, "the target takes no stop sequence of white space only");
    return [];
  });
}

function writeTools(
  request: ChatRequest,
  names: ToolNames,
  turns: readonly AlternatingTurn[],
  context: RequestContext,
): Raw[] {
  const { choice } = request;
  if (choice?.mode === "allowed") {
    context.hint("approximated", choice.at, "only the allowed tools are declared");
  }
  const tools = request.tools.flatMap((tool) => {
    if (tool.kind === "server") {
      context.dropped(tool.at, `the tool ${tool.what} runs at its own provider only`);
      return [];
    }
    if (choice?.mode === "allowed" && !choice.names.includes(tool.name)) return [];
    const isStrict = tool.strict === true && context.model.facts.structured;
    if (tool.strict && !isStrict) {
      const { places, at } = tool;
      context.dropped(
        places?.strict ?? at,
        "the model does not hold tools to their schemas strictly",
      );
    }
    return [object(
      ["name", quote(names.sent(tool.name))],
      ["description", tool.description],
      ["input_schema", toolSchemaObject(tool, context, isStrict)],
      ["strict", isStrict ? "true" : undefined],
    )];
  });
  const hasCalls = turns.some(({ parts }) => parts.some(({ kind }) => kind === "call"));
  if (tools.length > 0 || !hasCalls) return tools;
  // Tools that were called have to be declared.
  return calledNames(request).map((name) =>
    object(
      ["name", quote(names.sent(name))],
      ["input_schema", '{"type":"object","properties":{}}'],
    )
  );
}

function choice(
  { choice, parallel }: ChatRequest,
  names: ToolNames,
  context: RequestContext,
  thinks: boolean,
): Raw | undefined {
  const single = parallel?.value === false ? "true" : undefined;
  const written = (type: string, name?: string) =>
    object(
      ["type", quote(type)],
      ["name", name === undefined ? undefined : quote(name)],
      ["disable_parallel_tool_use", type === "none" ? undefined : single],
    );
  if (choice?.mode === "none") return written("none");
  const mustCall = choice?.mode === "any" || choice?.mode === "tool" ||
    choice?.mode === "allowed" && choice.must;
  if (choice && mustCall && thinks) {
    context.approximated(choice.at, "a call cannot be required beside thinking");
  } else if (choice && mustCall) {
    return choice.mode === "tool" ? written("tool", names.sent(choice.name)) : written("any");
  }
  return single === undefined ? undefined : written("auto");
}

function user({ user }: ChatRequest, context: RequestContext): Raw | undefined {
  if (!user) return undefined;
  // Anthropic refuses ids that name a person.
  const text = user.raw.startsWith('"') ? unquote(user.raw) : "";
  if (text !== "" && !/@|^\+?[\d ()-]{7,}$/.test(text)) return object(["user_id", user.raw]);
  context.hint("dropped", user.at, "the target takes no e-mail address or phone number there");
  return undefined;
}

function tier({ tier }: ChatRequest, context: RequestContext): Raw | undefined {
  if (tier?.raw === '"auto"' || tier?.raw === '"standard_only"') return tier.raw;
  reportHints([tier], context);
  return undefined;
}
