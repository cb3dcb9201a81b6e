/** Requests of Anthropic's messages, and of Claude's InvokeModel, read into neutral form. */
import type {
  ChatRequest,
  Extra,
  Format,
  FunctionTool,
  Reasoning,
  Tool,
  ToolChoice,
  Turn,
} from "../chat.ts";
import { effortOf } from "../efforts.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import {
  extraAt,
  listAt,
  numberAt,
  objectAt,
  othersOf,
  rawTextAt,
  reportOthers,
  stopsAt,
  textAt,
} from "../reading.ts";
import { readContent } from "./blocks.ts";

/** Members of a messages request (@anthropic-ai/sdk 1.14) that are read below. */
const known: ReadonlySet<string> = new Set([
  "anthropic_version",
  "anthropic_beta",
  "model",
  "stream",
  "messages",
  "system",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "service_tier",
  "cache_control",
  "inference_geo",
]);

/** Reads the body of a request. */
export function readRequest(body: Json, log: LossLog): ChatRequest {
  const container = body.get("container");
  if (container) log.refuse(container.at, "a container is known to Anthropic only");
  const choice = objectAt(body, "tool_choice", log);
  const single = choice?.get("disable_parallel_tool_use");
  const output = objectAt(body, "output_config", log);
  return {
    system: readContent(body.get("system"), log),
    turns: listAt(body, "messages", log).map((message) => readTurn(message, log)),
    tools: listAt(body, "tools", log).map((tool) => readTool(tool, log)),
    choice: readChoice(choice, log),
    parallel: single?.flag === undefined ? undefined : { value: !single.flag, at: single.at },
    format: readFormat(output?.get("format") ?? body.get("output_format"), log),
    maxOut: numberAt(body, "max_tokens", log),
    temperature: numberAt(body, "temperature", log),
    topP: numberAt(body, "top_p", log),
    topK: numberAt(body, "top_k", log),
    stop: stopsAt(body, "stop_sequences", log),
    reasoning: readReasoning(objectAt(body, "thinking", log), output, log),
    user: userOf(body),
    tier: extraAt(body, "service_tier"),
    wantsStopText: true,
    native: [...othersOf(body, known), ...othersOf(output, new Set(["effort", "format"]))],
    nativeHints: ["anthropic_beta", "cache_control", "inference_geo"].flatMap((name) =>
      extraAt(body, name) ?? []
    ),
  };
}

function userOf(body: Json): Extra | undefined {
  const user = body.get("metadata")?.get("user_id");
  return user && { name: "user_id", raw: user.raw, at: user.at };
}

const knownOfTurn: ReadonlySet<string> = new Set(["role", "content"]);

function readTurn(message: Json, log: LossLog): Turn {
  const role = textAt(message, "role", log);
  if (role !== "user" && role !== "assistant" && role !== "system") {
    log.refuse(message.at, "the role of a message is not user, assistant or system");
  }
  reportOthers(message, knownOfTurn, log);
  const content = message.get("content");
  return { role, parts: readContent(content, log), at: message.at, content: content?.at };
}

function readTool(tool: Json, log: LossLog): Tool {
  const type = textAt(tool, "type", log);
  if (type !== undefined && type !== "custom") {
    return { kind: "server", owner: "claude", raw: tool.raw, what: type, at: tool.at };
  }
  const schema = objectAt(tool, "input_schema", log);
  const cache = tool.get("cache_control");
  if (cache) log.hint("dropped", cache.at, "cache points on tools are not carried over");
  const read: FunctionTool = {
    kind: "function",
    name: textAt(tool, "name", log) ?? "",
    at: tool.at,
    description: rawTextAt(tool, "description", log),
    schema: schema && { raw: schema.raw, form: "json-schema", at: schema.at } as const,
    strict: tool.get("strict")?.flag,
    places: { strict: tool.get("strict")?.at },
  };
  return read;
}

function readChoice(choice: Json | undefined, log: LossLog): ToolChoice | undefined {
  if (!choice) return undefined;
  const { at } = choice;
  const type = textAt(choice, "type", log);
  if (type === "tool") return { mode: "tool", name: textAt(choice, "name", log) ?? "", at };
  if (type === "any" || type === "none" || type === "auto") return { mode: type, at };
  return log.refuse(at, "the choice among tools is of a form that is not known");
}

function readFormat(format: Json | undefined, log: LossLog): Format | undefined {
  const schema = objectAt(format, "schema", log);
  if (!format || !schema) return undefined;
  return {
    kind: "schema",
    at: format.at,
    schema: { raw: schema.raw, form: "json-schema", at: schema.at },
    strict: true,
  };
}

function readReasoning(
  thinking: Json | undefined,
  output: Json | undefined,
  log: LossLog,
): Reasoning | undefined {
  const effort = output?.get("effort");
  const at = (thinking ?? effort)?.at;
  if (at === undefined) return undefined;
  const type = textAt(thinking, "type", log);
  const display = textAt(thinking, "display", log);
  return {
    mode: type === "disabled" ? "off" : type === "adaptive" ? "adaptive" : "on",
    at,
    budget: numberAt(thinking, "budget_tokens", log),
    effort: effortOf(effort?.text),
    ...(display === "omitted" ? { show: "none" as const } : {}),
  };
}
