/** Why the real Claude refuses the parameters of a message. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object, string } from "../json.ts";
import { type Form, type Misfit, misfit } from "../model/form.ts";
import { decoded, typeOfBytes } from "../model/media.ts";
import { bedrockMessageForm, messageForm } from "./forms.ts";
import { modelFault } from "./model_rules.ts";
import { schemaFault } from "./schema_rules.ts";

/** From this API version on, sampling parameters are refused. */
const withoutSampling = "2026-10-21";

/** Returns the first thing that is wrong with the parameters of a message. */
export function fault(params: JsonObject, version: string): string | undefined {
  for (const name of ["model", "max_tokens", "messages"]) {
    if (params[name] === undefined) return `${name}: Field required`;
  }
  if (params.stream === true) return "stream: Streaming is not supported in batches";
  if (version >= withoutSampling) {
    const sampling = ["temperature", "top_p", "top_k"].find((name) => params[name] !== undefined);
    if (sampling !== undefined) return `${sampling}: Extra inputs are not permitted`;
    const index = list(params.messages).map(object).findIndex(({ role, content }) =>
      role === "assistant" && list(content).some((block) => object(block).type === "document")
    );
    if (index >= 0) return `messages.${index}: document blocks can only be in user messages`;
  }
  return faultOf(params, messageForm, string(params.model) ?? "");
}

/** Returns the first thing that is wrong with the body of InvokeModel for a Claude on Bedrock. */
export function bedrockFault(body: JsonObject, modelId: string): string | undefined {
  return faultOf(body, bedrockMessageForm, modelId);
}

function faultOf(params: JsonObject, form: Form, model: string): string | undefined {
  const found = misfit(params, form);
  if (found !== undefined) return worded(found);
  const messages = list(params.messages).map(object);
  return messagesFault(messages) ?? toolsFault(params, messages) ??
    modelFault(params, messages, model) ??
    schemaFault(object(object(params.output_config).format).schema);
}

function worded({ path, kind, want }: Misfit): string {
  const at = path.join(".");
  if (kind === "missing") return `${at}: Field required`;
  if (kind === "unknown") return `${at}: Extra inputs are not permitted`;
  if (kind === "type") return `${at}: Input should be a valid ${want.replace(/^an? /, "")}`;
  if (at === "messages") return "messages: at least one message is required";
  if (path[0] === "stop_sequences") {
    return `${at}: each stop sequence must contain non-whitespace`;
  }
  const words = want.replace("a number of at least", "greater than or equal to")
    .replace("a number of at most", "less than or equal to");
  return `${at}: Input should be ${words}`;
}

function messagesFault(messages: readonly JsonObject[]): string | undefined {
  const first = messages.find(({ role }) => role !== "system");
  if (first?.role === "assistant") return "messages: first message must use the user role";
  for (const [index, { role, content }] of messages.entries()) {
    const at = `messages.${index}`;
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : list(content);
    const isLast = index === messages.length - 1;
    if (blocks.length === 0 && !(isLast && role === "assistant")) {
      return `${at}: user messages must have non-empty content`;
    }
    for (const [place, block] of blocks.map(object).entries()) {
      const wrong = blockFault(block, role);
      if (wrong !== undefined) {
        return place > 0 ? `${at}.content.${place}: ${wrong}` : `${at}: ${wrong}`;
      }
    }
    if (isLast && role === "assistant" && /\s$/.test(string(object(blocks.at(-1)).text) ?? "")) {
      return `${at}: final assistant content cannot end with trailing whitespace`;
    }
  }
  return pairsFault(messages);
}

function blockFault(block: JsonObject, role: Json | undefined): string | undefined {
  const { type } = block;
  if (type === "text") {
    if (block.text === "") return "text content blocks must be non-empty";
    return /\S/.test(string(block.text) ?? "")
      ? undefined
      : "text content blocks must contain non-whitespace text";
  }
  if (type === "tool_use" || type === "thinking" || type === "redacted_thinking") {
    return role === "assistant" ? undefined : `${type} blocks can only be in assistant messages`;
  }
  if (type === "tool_result") {
    if (role !== "user") return "tool_result blocks can only be in user messages";
    const inner = list(block.content).map(object);
    const wrong = inner.map((each) => blockFault(each, role)).find((each) => each !== undefined);
    if (block.is_error === true && (inner.length === 0 && !block.content)) {
      return "content cannot be empty if `is_error` is true";
    }
    return wrong;
  }
  if (type !== "image" && type !== "document") return undefined;
  if (type === "image" && role === "assistant") {
    return "image blocks can only be in user messages";
  }
  return sourceFault(type, object(block.source));
}

function sourceFault(kind: string, { type, media_type, data }: JsonObject): string | undefined {
  if (type !== "base64") return undefined;
  const bytes = decoded(string(data) ?? "");
  if (bytes === undefined) return `${kind}.source.base64.data: invalid base64 data`;
  const seen = typeOfBytes(bytes);
  if (seen === undefined) return `${kind}: Could not process ${kind}`;
  return seen === media_type
    ? undefined
    : `${kind}.source.base64.media_type: The image was specified using the ${media_type} media ` +
      `type, but the image appears to be a ${seen} image`;
}

const idsOf = (message: JsonObject | undefined, type: string, name: string): string[] =>
  list(message?.content).map(object).filter((block) => block.type === type)
    .map((block) => string(block[name]) ?? "");

/** Calls and their results must stand in messages that follow each other. */
function pairsFault(messages: readonly JsonObject[]): string | undefined {
  const turns = messages.filter(({ role }) => role !== "system");
  const seen = new Set<string>();
  for (const [index, turn] of turns.entries()) {
    const calls = idsOf(turn, "tool_use", "id");
    const results = idsOf(turn, "tool_result", "tool_use_id");
    const twice = calls.find((id) => seen.size === seen.add(id).size);
    if (twice !== undefined) return `messages.${index}: \`tool_use\` ids must be unique`;
    const before = idsOf(turns[index - 1], "tool_use", "id");
    const stray = results.find((id) => !before.includes(id));
    if (stray !== undefined) {
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ` +
        `${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the ` +
        `previous message.`;
    }
    const open = before.filter((id) => !results.includes(id));
    if (open.length > 0) return unanswered(index - 1, open);
    if (calls.length > 0 && index === turns.length - 1) return unanswered(index, calls);
    const kinds = list(turn.content).map((block) => object(block).type === "tool_result");
    if (kinds.lastIndexOf(true) >= results.length) {
      return `messages.${index}: \`tool_result\` blocks must come before other content`;
    }
  }
  return undefined;
}

const unanswered = (index: number, ids: readonly string[]): string =>
  `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately ` +
  `after: ${ids.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` ` +
  `block in the next message.`;

function toolsFault(params: JsonObject, messages: readonly JsonObject[]): string | undefined {
  const tools = list(params.tools).map(object);
  const names = tools.map(({ name }) => name);
  if (new Set(names).size < names.length) return "tools: Tool names must be unique.";
  for (const [index, { input_schema, strict }] of tools.entries()) {
    if (!isObject(input_schema)) continue;
    const at = `tools.${index}.custom.input_schema`;
    if (input_schema.type !== "object") return `${at}.type: Field required`;
    const wrong = strict === true ? schemaFault(input_schema) : undefined;
    if (wrong !== undefined) return `${at}: ${wrong}`;
  }
  const used = messages.some((message) => idsOf(message, "tool_use", "id").length > 0);
  if (used && tools.length === 0) {
    return "Requests which include `tool_use` or `tool_result` blocks must define tools";
  }
  const choice = object(params.tool_choice);
  if (choice.type !== undefined && tools.length === 0 && choice.type !== "none") {
    return "tool_choice: may only be specified while providing tools";
  }
  return choice.type === "tool" && !names.includes(choice.name ?? null)
    ? `tool_choice: Tool '${choice.name}' not found in provided tools`
    : undefined;
}
