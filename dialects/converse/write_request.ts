/** Requests of Converse, and of Nova's InvokeModel, written from neutral form. */
import type { ChatRequest, Part } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { fitToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { alternatingTurns } from "../turns.ts";
import { array, object, quote, someArray, someObject } from "../raw.ts";
import {
  clampedTemperature,
  refuseSeveralAnswers,
  reportDropped,
  reportHints,
  reportNatives,
} from "../writing.ts";
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
  const messages = turns.map(({ role, parts, at }) =>
    object(["role", quote(role)], ["content", array(blocks.message(role, parts, at))])
  );
  reportNatives(request, context);
  reportUnknown(request, context);
  const hasCalls = turns.some(({ parts }) => parts.some(({ kind }: Part) => kind === "call"));
  const tools = writeToolConfig(request, { names, hasCalls }, context);
  return object(
    ["schemaVersion", form === "nova" ? '"messages-v1"' : undefined],
    ["system", someArray(blocks.system(system))],
    ["messages", array(messages)],
    ["inferenceConfig", inference(request, context, form)],
    ["toolConfig", tools.config],
    ["additionalModelRequestFields", extraFields(request, context, form, tools.fields)],
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

function inference(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
): Raw | undefined {
  const { sampling } = context.model.facts;
  const refused = sampling === "none";
  if (refused) {
    reportDropped(context, {
      "a temperature with this model": request.temperature,
      "top-p with this model": request.topP,
    });
  }
  const both = sampling === "one" && request.temperature !== undefined;
  if (both) reportDropped(context, { "top-p beside a temperature": request.topP });
  return someObject(
    ["maxTokens", request.maxOut?.raw],
    ["temperature", refused ? undefined : clampedTemperature(request.temperature, context)],
    ["topP", refused || both ? undefined : request.topP?.raw],
    ["topK", form === "nova" ? request.topK?.raw : undefined],
    ["stopSequences", someArray(stops(request, context))],
  );
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

function extraFields(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
  toolFields: readonly (readonly [string, Raw])[],
): Raw | undefined {
  if (form === "nova") return undefined;
  const { topK } = request;
  const { family, sampling } = context.model.facts;
  if (topK && (sampling === "none" || (family !== "claude" && family !== "nova"))) {
    context.dropped(topK.at, "the model has no setting for top-k");
  }
  return someObject(
    ["top_k", topK && family === "claude" && sampling !== "none" ? topK.raw : undefined],
    ["inferenceConfig", topK && family === "nova" ? object(["topK", topK.raw]) : undefined],
    ...reasoningFields(request, context),
    ...toolFields,
  );
}

function metadata({ metadata }: ChatRequest, context: RequestContext): Raw | undefined {
  if (metadata && metadata.raw.startsWith("{")) return metadata.raw;
  reportHints([metadata], context);
  return undefined;
}

function outputConfig(
  { format, reasoning }: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
): Raw | undefined {
  if (format && (form === "nova" || format.kind === "json" || !context.model.facts.structured)) {
    context.dropped(format.at, "the target has no setting for the form of the answer");
  }
  const writesSchema = format?.schema && form === "converse" && context.model.facts.structured;
  const effort = context.model.facts.thinking === "effort" ? reasoning?.effort : undefined;
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
    ["effort", effort && effort !== "none" && form === "converse" ? quote(effort) : undefined],
  );
}
