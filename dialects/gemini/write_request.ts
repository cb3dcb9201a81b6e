/** Requests of Gemini's generateContent, written from neutral form. */
import type { ChatRequest, Effort } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { budgetOf, effortOfBudget } from "../efforts.ts";
import { fitToolNames } from "../fit.ts";
import type { NameRule, ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { array, object, quote, someArray, someObject } from "../raw.ts";
import type { Member } from "../raw.ts";
import { geminiSchema, isWithoutArguments, reportFormatWords } from "../schemas/mod.ts";
import { alternatingTurns } from "../turns.ts";
import { refuseForcedServerTool, reportDropped, reportHints, reportNatives } from "../writing.ts";
import { writeParts } from "./write_parts.ts";

/** What Gemini takes as the name of a function; 64 characters, so that every target takes it. */
export const geminiToolNames: NameRule = { max: 64, dots: true };

/** How many stop sequences Gemini takes. */
const maxStops = 5;

/** Writes the body of a request. */
export function writeRequest(request: ChatRequest, context: RequestContext): Raw {
  const names = fitToolNames(request, geminiToolNames);
  const { system, turns } = alternatingTurns(request, { assistantMedia: true }, context);
  refuseForcedServerTool(request, context);
  reportNatives(request, context);
  reportUnknown(request, context);
  const contents = turns.map(({ role, parts }) =>
    object(
      ["role", role === "assistant" ? '"model"' : '"user"'],
      ["parts", array(writeParts(parts, context, names))],
    )
  );
  const last = turns.at(-1);
  if (last?.role === "assistant" && !context.model.facts.prefill) {
    context.approximated(last.at, "the model does not continue a last message of its own");
  }
  const tools = writeTools(request, names, context);
  return object(
    [
      "systemInstruction",
      system.length > 0 ? object(["parts", array(writeParts(system, context, names))]) : undefined,
    ],
    ["contents", array(contents)],
    ["tools", tools === undefined ? undefined : array([object(["functionDeclarations", tools])])],
    ["toolConfig", tools === undefined ? undefined : writeChoice(request, names)],
    ["generationConfig", config(request, context)],
  );
}

function reportUnknown(request: ChatRequest, context: RequestContext): void {
  reportDropped(context, { "a logit bias": request.logitBias });
  const mayCall = request.tools.length > 0 && request.choice?.mode !== "none";
  if (request.parallel?.value === false && mayCall) {
    context.dropped(request.parallel.at, "the model may call several tools at once");
  }
  reportHints([request.user, request.metadata, request.tier, request.cacheKey], context);
  if (request.store?.value) {
    context.hint("dropped", request.store.at, "the target stores no answers");
  }
}

function writeTools(
  request: ChatRequest,
  names: ToolNames,
  context: RequestContext,
): Raw | undefined {
  return someArray(request.tools.flatMap((tool) => {
    if (tool.kind === "server") {
      context.dropped(tool.at, `the tool ${tool.what} runs at its own provider only`);
      return [];
    }
    if (tool.strict) {
      const reason = "the mode VALIDATED in its place, where the choice is the model's";
      context.approximated(tool.places?.strict ?? tool.at, reason);
    }
    const schema = tool.schema && !isWithoutArguments(tool.schema)
      ? geminiSchema(tool.schema, context)
      : undefined;
    const name = quote(names.sent(tool.name));
    return [object(
      ["name", name],
      // The specification requires a description.
      ["description", tool.description ?? name],
      ["parameters", schema?.form === "openapi" ? schema.raw : undefined],
      ["parametersJsonSchema", schema?.form === "json-schema" ? schema.raw : undefined],
    )];
  }));
}

function writeChoice({ choice, tools }: ChatRequest, names: ToolNames): Raw | undefined {
  const isStrict = tools.some((tool) => tool.kind === "function" && tool.strict);
  const written = (mode: string, only?: readonly string[]) =>
    object([
      "functionCallingConfig",
      object(
        ["mode", quote(mode)],
        [
          "allowedFunctionNames",
          only && array(only.map((name) => quote(names.sent(name)))),
        ],
      ),
    ]);
  switch (choice?.mode) {
    case undefined:
    case "auto":
      return isStrict ? written("VALIDATED") : undefined;
    case "any":
      return written("ANY");
    case "none":
      return written("NONE");
    case "tool":
      return written("ANY", [choice.name]);
    case "allowed":
      // AUTO takes no list of names; VALIDATED is AUTO that does.
      return written(choice.must ? "ANY" : "VALIDATED", choice.names);
  }
}

function config(request: ChatRequest, context: RequestContext): Raw | undefined {
  const { answers, temperature, topP, topK, maxOut, seed, logprobs } = request;
  if (!context.model.facts.penalties) {
    reportDropped(context, {
      "a presence penalty with this model": request.presencePenalty,
      "a frequency penalty with this model": request.frequencyPenalty,
    });
  }
  const penalties: readonly Member[] = context.model.facts.penalties
    ? [
      ["presencePenalty", request.presencePenalty?.raw],
      ["frequencyPenalty", request.frequencyPenalty?.raw],
    ]
    : [];
  return someObject(
    ["candidateCount", answers && answers.value > 1 ? answers.raw : undefined],
    ["maxOutputTokens", maxOut?.raw],
    ["temperature", temperature?.raw],
    ["topP", topP?.raw],
    ["topK", takenTopK(topK, context)],
    ["stopSequences", someArray(stops(request, context))],
    ["seed", seed?.raw],
    ...penalties,
    ["responseLogprobs", logprobs ? "true" : undefined],
    ["logprobs", logprobs?.top?.raw],
    ...format(request, context),
    ["thinkingConfig", thinking(request, context)],
  );
}

/** Elsewhere 0 says that there is to be no top-k. */
function takenTopK(topK: ChatRequest["topK"], context: RequestContext): Raw | undefined {
  if (!topK || topK.value >= 1) return topK?.raw;
  context.hint("dropped", topK.at, "the target takes no top-k below 1");
  return undefined;
}

function stops({ stop }: ChatRequest, context: RequestContext): Raw[] {
  return stop.flatMap(({ raw, at }, index) => {
    if (index < maxStops) return [raw];
    context.dropped(at, `the target takes ${maxStops} stop sequences`);
    return [];
  });
}

function format({ format }: ChatRequest, context: RequestContext): readonly Member[] {
  if (!format) return [];
  const json: Member = ["responseMimeType", '"application/json"'];
  if (!format.schema) return [json];
  reportFormatWords(format, context);
  const schema = geminiSchema(format.schema, context);
  return [
    json,
    ["responseSchema", schema.form === "openapi" ? schema.raw : undefined],
    ["responseJsonSchema", schema.form === "json-schema" ? schema.raw : undefined],
  ];
}

const levels: Readonly<Record<Effort, string>> = {
  none: "MINIMAL",
  minimal: "MINIMAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  xhigh: "HIGH",
  max: "HIGH",
};

function thinking(request: ChatRequest, context: RequestContext): Raw | undefined {
  const { reasoning, maxOut } = request;
  if (!reasoning) return undefined;
  const facts = context.model.facts;
  const shown = reasoning.mode !== "off" && reasoning.show !== "none" ? "true" : undefined;
  if (facts.thinking === "none" || facts.thinking === "effort") {
    if (reasoning.mode !== "off") {
      context.dropped(reasoning.at, "the model has no setting for reasoning");
    }
    return undefined;
  }
  if (reasoning.mode === "off") {
    if (facts.thinkingOff) return '{"thinkingBudget":0}';
    context.approximated(reasoning.at, "as little reasoning as the model allows: it cannot be off");
    return facts.thinking === "level" ? '{"thinkingLevel":"MINIMAL"}' : '{"thinkingBudget":128}';
  }
  if (reasoning.mode === "adaptive" && !reasoning.effort) {
    return object(
      ["includeThoughts", shown],
      ["thinkingBudget", facts.thinking === "budget" ? "-1" : undefined],
    );
  }
  if (facts.thinking === "budget") {
    return object(
      ["includeThoughts", shown],
      ["thinkingBudget", budgetOf(reasoning, maxOut?.value, facts.budgets, context)],
    );
  }
  const effort = reasoning.effort ?? effortOfBudget(reasoning.budget?.value);
  if (!reasoning.effort || effort === "xhigh" || effort === "max" || effort === "none") {
    const at = (reasoning.budget ?? reasoning).at;
    context.approximated(at, `the level ${levels[effort]} in place of it`);
  }
  return object(["includeThoughts", shown], ["thinkingLevel", quote(levels[effort])]);
}
