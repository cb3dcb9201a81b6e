/** Why the real Converse refuses a request. */
import { claudeVersion, modelFault as claudeFault } from "../anthropic/model_rules.ts";
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object, parseJson, string } from "../json.ts";
import { type Misfit, misfit } from "../model/form.ts";
import { decoded, typeOfBytes } from "../model/media.ts";
import { converseForm } from "./converse_form.ts";

/** Returns the first thing that is wrong with a Converse request. */
export function converseFault(request: JsonObject, modelId: string): string | undefined {
  const found = misfit(request, converseForm);
  if (found !== undefined) return worded(found);
  const messages = list(request.messages).map(object);
  return messagesFault(messages) ?? pairsFault(messages) ?? toolsFault(request, messages) ??
    modelFault(request, messages, modelId);
}

function worded({ path, kind, want }: Misfit): string {
  const at = path.join(".");
  if (kind === "unknown") return `#: extraneous key [${path.at(-1)}] is not permitted (${at})`;
  if (kind === "missing") return `#: required key [${path.at(-1)}] not found (${at})`;
  if (kind === "union") return `${at}: must have exactly one member`;
  return `The value at ${at} must be ${want}.`;
}

function messagesFault(messages: readonly JsonObject[]): string | undefined {
  if (messages.find(({ role }) => role !== "system")?.role === "assistant") {
    return "A conversation must start with a user message. Try again with a conversation that " +
      "starts with a user message.";
  }
  for (const [index, { role, content }] of messages.entries()) {
    const blocks = list(content).map(object);
    const at = `messages.${index}.content`;
    for (const [place, block] of blocks.entries()) {
      const wrong = blockFault(block, role, `${at}.${place}`);
      if (wrong !== undefined) return wrong;
    }
    const documents = blocks.filter(({ document }) => document !== undefined)
      .map(({ document }) => object(document).name);
    if (documents.length > 0 && !blocks.some((block) => block.text !== undefined)) {
      return "A text block is required when a document is in the message.";
    }
    if (new Set(documents).size < documents.length) {
      return `The document names in ${at} must be unique.`;
    }
  }
  return undefined;
}

function blockFault(block: JsonObject, role: Json | undefined, at: string): string | undefined {
  const { text, toolResult } = block;
  if (typeof text === "string" && !/\S/.test(text)) {
    return `The text field in the ContentBlock object at ${at} is blank. Add text to the text ` +
      `field, and try again.`;
  }
  const [name] = Object.keys(block);
  const ofUser = ["image", "document", "video", "audio", "toolResult"];
  const ofAssistant = ["toolUse", "reasoningContent"];
  if (role === "assistant" && ofUser.includes(name ?? "")) {
    return `${at}: ${name} blocks are allowed in user messages only.`;
  }
  if (role === "user" && ofAssistant.includes(name ?? "")) {
    return `${at}: ${name} blocks are allowed in assistant messages only.`;
  }
  if (isObject(toolResult)) {
    const inner = list(toolResult.content).map(object);
    if (inner.length === 0 && toolResult.status === "error") {
      return `${at}.toolResult.content: must not be empty where the status is error.`;
    }
    return inner.map((each, place) => blockFault(each, role, `${at}.toolResult.content.${place}`))
      .find((wrong) => wrong !== undefined);
  }
  return imageFault(object(block.image), at);
}

function imageFault({ format, source }: JsonObject, at: string): string | undefined {
  const data = string(object(source).bytes);
  if (data === undefined) return undefined;
  const bytes = decoded(data);
  const type = bytes === undefined ? undefined : typeOfBytes(bytes);
  return type === `image/${format}`
    ? undefined
    : `The image at ${at} is not of the format ${format}. Check its format and try again.`;
}

const idsOf = (message: JsonObject | undefined, name: "toolUse" | "toolResult"): string[] =>
  list(message?.content).map((block) => object(block)[name]).filter(isObject)
    .map(({ toolUseId }) => string(toolUseId) ?? "");

function pairsFault(messages: readonly JsonObject[]): string | undefined {
  const turns = messages.filter(({ role }) => role !== "system");
  for (const [index, turn] of turns.entries()) {
    const calls = idsOf(turns[index - 1], "toolUse");
    const results = idsOf(turn, "toolResult");
    const at = `messages.${index}.content`;
    if (results.length > calls.length) {
      return `The number of toolResult blocks at ${at} exceeds the number of toolUse blocks of ` +
        `previous turn.`;
    }
    const open = calls.filter((id) => !results.includes(id));
    if (open.length > 0) {
      return `Expected toolResult blocks at ${at} for the following Ids: ${open}`;
    }
    const own = idsOf(turn, "toolUse");
    if (new Set(own).size < own.length) return `The toolUse ids at ${at} must be unique.`;
    if (own.length > 0 && index === turns.length - 1) {
      return `Expected toolResult blocks behind ${at} for the following Ids: ${own}`;
    }
  }
  return undefined;
}

function toolsFault(request: JsonObject, messages: readonly JsonObject[]): string | undefined {
  const config = object(request.toolConfig);
  const used = messages.some((message) =>
    idsOf(message, "toolUse").length + idsOf(message, "toolResult").length > 0
  );
  if (used && request.toolConfig === undefined) {
    return "The toolConfig field must be defined when using toolUse and toolResult content blocks.";
  }
  const specs = list(config.tools).map((tool) => object(tool).toolSpec).filter(isObject);
  const names = specs.map(({ name }) => name);
  if (new Set(names).size < names.length) return "toolConfig.tools: tool names must be unique.";
  const open = specs.find(({ inputSchema }) => object(object(inputSchema).json).type !== "object");
  if (open !== undefined) {
    return `The value at toolConfig.tools.${specs.indexOf(open)}.toolSpec.inputSchema.json.type ` +
      `must be one of the following: object.`;
  }
  const chosen = object(object(config.toolChoice).tool).name;
  if (chosen !== undefined && !names.includes(chosen)) {
    return `toolConfig.toolChoice.tool: there is no tool of the name ${chosen}.`;
  }
  const more = object(request.additionalModelRequestFields);
  return config.toolChoice !== undefined && object(more.tool_choice).type !== undefined
    ? "toolChoice: tool_choice must not be in additionalModelRequestFields beside toolChoice."
    : undefined;
}

function modelFault(
  request: JsonObject,
  messages: readonly JsonObject[],
  modelId: string,
): string | undefined {
  const { schema } = object(
    object(object(object(request.outputConfig).textFormat).structure).jsonSchema,
  );
  if (typeof schema === "string" && !isObject(parseJson(schema))) {
    return "outputConfig.textFormat.structure.jsonSchema.schema: must be the text of an object.";
  }
  if (claudeVersion(modelId) === undefined) return undefined;
  const { stopSequences, maxTokens, temperature, topP } = object(request.inferenceConfig);
  if (list(stopSequences).some((stop) => !/\S/.test(string(stop) ?? ""))) {
    return "stop_sequences: each stop sequence must contain non-whitespace";
  }
  const { tools, toolChoice } = object(request.toolConfig);
  const more = object(request.additionalModelRequestFields);
  const [choice = "auto"] = Object.keys(object(toolChoice));
  const given = {
    max_tokens: maxTokens,
    temperature,
    top_p: topP,
    top_k: more.top_k,
    thinking: more.thinking,
    tools,
    tool_choice: { type: choice },
  };
  const params = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const]
  );
  const wrong = claudeFault(Object.fromEntries(params), messages, modelId);
  return wrong === undefined ? undefined : `The model returned the following errors: ${wrong}`;
}
