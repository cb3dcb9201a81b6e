/** Requests of Converse, and of Nova's InvokeModel, written from neutral form. */
import type { ChatRequest, Part } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { fitToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { alternatingTurns, endedTurns } from "../turns.ts";
import { array, object, quote, someArray, someObject } from "../raw.ts";
import type { Member } from "../raw.ts";
import {
  clampedTemperature,
  refuseForcedServerTool,
  refuseSeveralAnswers,
  reportDropped,
  reportHints,
  reportNatives,
  unlessDefault,
} from "../writing.ts";
import { claudeSampling } from "../claude/sampling.ts";
import type { Sampling } from "../claude/sampling.ts";
import { claudeEffort, isThinking } from "../claude/thinking.ts";
import { reasoningFields } from "./reasoning.ts";
import { writeToolConfig } from "./tools.ts";
import { type ConverseForm, converseToolNames, createBlockWriter } from "./write_blocks.ts";
import { converseSchemaText } from "../schemas/mod.ts";

/** Writes the body of a request. */
export function writeRequest(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
): Raw {
  refuseSeveralAnswers(request, context);
  const names = fitToolNames(request, converseToolNames);
  const { system, turns } = alternatingTurns(request, { assistantMedia: false }, context);
  const blocks = createBlockWriter(context, names, form);
  const ended = endedTurns(turns, context.model.facts.prefill, context);
  const messages = ended.map(({ role, parts, content }) =>
    object(["role", quote(role)], ["content", array(blocks.message(role, parts, content))])
  );
  refuseForcedServerTool(request, context);
  reportNatives(request, context);
  reportUnknown(request, context);
  const hasCalls = turns.some(({ parts }) => parts.some(({ kind }: Part) => kind === "call"));
  const reasoning = reasoningFields(request, context, form);
  const thinks = reasoning.some(([name, value]) => name === "thinking" && isThinking(value));
  const sampling = samplingOf(request, context, form, thinks);
  const tools = writeToolConfig(request, { names, hasCalls, thinks }, context);
  return object(
    ["schemaVersion", form === "nova" ? '"messages-v1"' : undefined],
    ["system", someArray(blocks.system(system))],
    ["messages", array(messages)],
    [
      "inferenceConfig",
      someObject(
        ["maxTokens", request.maxOut?.raw],
        ["temperature", sampling.temperature],
        ["topP", sampling.topP],
        ["topK", form === "nova" ? sampling.topK : undefined],
        ["stopSequences", someArray(stops(request, context))],
      ),
    ],
    ["toolConfig", tools.config],
    [
      "additionalModelRequestFields",
      form === "nova"
        ? undefined
        : someObject(...topKField(sampling.topK, context), ...reasoning, ...tools.fields),
    ],
    [
      "additionalModelResponseFieldPaths",
      form === "converse" && context.model.facts.family === "claude" && request.wantsStopText
        ? '["/stop_sequence"]'
        : undefined,
    ],
    ["requestMetadata", form === "converse" ? metadata(request, context) : undefined],
    ["outputConfig", outputConfig(request, context, form)],
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
  reportHints([request.user, request.cacheKey, request.tier], context);
  if (request.store?.value) {
    context.hint("dropped", request.store.at, "the target stores no answers");
  }
}

function samplingOf(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
  thinks: boolean,
): Sampling {
  const { family, sampling } = context.model.facts;
  if (family === "claude") return claudeSampling(request, context, thinks);
  const { temperature, topP, topK } = request;
  if (topK && form === "converse" && family !== "nova") {
    context.dropped(topK.at, "the model has no setting for top-k");
  }
  if (sampling === "none") {
    reportDropped(context, {
      "a temperature with this model": unlessDefault(temperature),
      "top-p with this model": unlessDefault(topP),
    });
    return {};
  }
  const takesTopK = form === "nova" || family === "nova";
  return {
    temperature: clampedTemperature(temperature, context),
    topP: topP?.raw,
    topK: takesTopK ? topK?.raw : undefined,
  };
}

function topKField(topK: Raw | undefined, { model }: RequestContext): readonly Member[] {
  if (topK === undefined) return [];
  return model.facts.family === "claude"
    ? [["top_k", topK]]
    : [["inferenceConfig", object(["topK", topK])]];
}

function stops({ stop }: ChatRequest, context: RequestContext): Raw[] {
  const { facts } = context.model;
  return stop.flatMap(({ raw, at }) => {
    if (facts.stop && (facts.family !== "claude" || JSON.parse(raw).trim() !== "")) return [raw];
    const reason = facts.stop
      ? "the model takes no stop sequence of white space only"
      : "the model takes no stop sequences";
    context.dropped(at, reason);
    return [];
  });
}

function metadata({ metadata }: ChatRequest, context: RequestContext): Raw | undefined {
  if (metadata && metadata.raw.startsWith("{")) return metadata.raw;
  reportHints([metadata], context);
  return undefined;
}

function outputConfig(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
): Raw | undefined {
  const { format } = request;
  if (format && (form === "nova" || format.kind === "json" || !context.model.facts.structured)) {
    context.dropped(format.at, "the target has no setting for the form of the answer");
  }
  const writesSchema = format?.schema && form === "converse" && context.model.facts.structured;
  const isClaude = form === "converse" && context.model.facts.family === "claude";
  return someObject(
    [
      "textFormat",
      format && writesSchema
        ? object(["type", '"json_schema"'], [
          "structure",
          object([
            "jsonSchema",
            object(
              ["schema", quote(converseSchemaText(format.schema, context))],
              ["name", format.name === undefined ? undefined : quote(format.name)],
              ["description", format.description],
            ),
          ]),
        ])
        : undefined,
    ],
    ["effort", isClaude ? claudeEffort(request, context) : undefined],
  );
}
