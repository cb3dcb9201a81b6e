/** Requests of OpenAI's chat completions, read into neutral form. */
import { effortOf } from "../efforts.ts";
import type { ChatRequest, Format, Reasoning, Tool, ToolChoice } from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import {
  extraAt,
  listAt,
  numberAt,
  objectAt,
  othersOf,
  rawTextAt,
  stopsAt,
  textAt,
} from "../reading.ts";
import { isSystem, readContent, readTurn } from "./messages.ts";

/** Members of a chat completions request (openai 7.59) that are read below. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "parallel_tool_calls",
  "response_format",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "seed",
  "n",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "logprobs",
  "top_logprobs",
  "reasoning_effort",
  "user",
  "safety_identifier",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "store",
  "modalities",
  "audio",
]);

/** Reads the body of a request. */
export function readRequest(body: Json, log: LossLog): ChatRequest {
  refuseSound(body, log);
  const messages = listAt(body, "messages", log);
  const firstTurn = messages.findIndex((message) => !isSystem(message));
  const leading = firstTurn < 0 ? messages : messages.slice(0, firstTurn);
  const number = (name: string) => numberAt(body, name, log);
  return {
    system: leading.flatMap((message) => readContent(message, log)),
    turns: messages.slice(leading.length).map((message) => readTurn(message, log)),
    tools: [
      ...listAt(body, "tools", log).map((tool) => readTool(tool, log)),
      ...listAt(body, "functions", log).map((tool) => readFunction(tool, tool, log)),
      ...searchTool(body),
    ],
    choice: readChoice(body.get("tool_choice") ?? body.get("function_call"), log),
    parallel: parallelOf(body),
    format: readFormat(body.get("response_format"), log),
    maxOut: number("max_completion_tokens") ?? number("max_tokens"),
    temperature: number("temperature"),
    topP: number("top_p"),
    topK: number("top_k"),
    stop: stopsAt(body, "stop", log),
    seed: number("seed"),
    answers: number("n"),
    presencePenalty: nonZero(number("presence_penalty")),
    frequencyPenalty: nonZero(number("frequency_penalty")),
    logitBias: extraAt(body, "logit_bias"),
    logprobs: logprobsOf(body, log),
    reasoning: readReasoning(body.get("reasoning_effort")),
    user: extraAt(body, "safety_identifier") ?? extraAt(body, "user"),
    metadata: extraAt(body, "metadata"),
    tier: extraAt(body, "service_tier"),
    cacheKey: extraAt(body, "prompt_cache_key"),
    store: flagAt(body, "store"),
    native: othersOf(body, new Set([...known, "web_search_options"])),
    nativeHints: ["stream_options", "prompt_cache_retention"].flatMap((name) =>
      extraAt(body, name) ?? []
    ),
  };
}

function refuseSound(body: Json, log: LossLog): void {
  const other = listAt(body, "modalities", log).find(({ text }) => text !== "text");
  const audio = body.get("audio");
  if (other ?? audio) {
    log.refuse((other ?? audio)?.at, "an answer in sound or images is asked for");
  }
}

function nonZero<Value extends { readonly value: number }>(
  number: Value | undefined,
): Value | undefined {
  return number?.value === 0 ? undefined : number;
}

function flagAt(body: Json, name: string): ChatRequest["store"] {
  const flag = body.get(name);
  return flag?.flag === undefined ? undefined : { value: flag.flag, at: flag.at };
}

function parallelOf(body: Json): ChatRequest["parallel"] {
  return flagAt(body, "parallel_tool_calls");
}

function logprobsOf(body: Json, log: LossLog): ChatRequest["logprobs"] {
  const flag = body.get("logprobs");
  if (flag?.flag !== true) return undefined;
  return { at: flag.at, top: numberAt(body, "top_logprobs", log) };
}

function searchTool(body: Json): Tool[] {
  const search = body.get("web_search_options");
  if (!search) return [];
  return [{ kind: "server", owner: "openai", raw: search.raw, what: "web search", at: search.at }];
}

function readTool(tool: Json, log: LossLog): Tool {
  const inner = tool.get("function");
  if (inner) return readFunction(tool, inner, log);
  const what = textAt(tool, "type", log) ?? "unknown";
  return { kind: "server", owner: "openai", raw: tool.raw, what, at: tool.at };
}

function readFunction(tool: Json, inner: Json, log: LossLog): Tool {
  const schema = objectAt(inner, "parameters", log);
  return {
    kind: "function",
    name: textAt(inner, "name", log) ?? "",
    at: tool.at,
    description: rawTextAt(inner, "description", log),
    schema: schema && { raw: schema.raw, form: "json-schema", at: schema.at } as const,
    strict: inner.get("strict")?.flag,
    places: { strict: inner.get("strict")?.at },
  };
}

/** Reads a choice among tools; also that of Responses, whose names stand one level higher. */
export function readChoice(choice: Json | undefined, log: LossLog): ToolChoice | undefined {
  if (!choice) return undefined;
  const { at } = choice;
  switch (choice.text) {
    case "auto":
    case "none":
      return { mode: choice.text, at };
    case "required":
      return { mode: "any", at };
  }
  const allowed = choice.get("allowed_tools") ??
    (choice.get("type")?.text === "allowed_tools" ? choice : undefined);
  if (allowed) {
    const names = (allowed.get("tools")?.list ?? []).flatMap((tool) =>
      (tool.get("function") ?? tool).get("name")?.text ?? []
    );
    return { mode: "allowed", names, must: allowed.get("mode")?.text === "required", at };
  }
  const name = (choice.get("function") ?? choice).get("name")?.text;
  return name === undefined
    ? log.refuse(at, "the choice among tools is of a form that is not known")
    : { mode: "tool", name, at };
}

function readFormat(format: Json | undefined, log: LossLog): Format | undefined {
  const type = format?.get("type")?.text;
  if (!format || type === "text") return undefined;
  if (type === "json_object") return { kind: "json", at: format.at };
  const given = objectAt(format, "json_schema", log);
  if (!given) log.refuse(format.at, "response_format has no json_schema");
  return readSchemaFormat(format, given, log);
}

/** Reads the schema of an answer; `given` holds its name, schema and strictness. */
export function readSchemaFormat(
  format: Json,
  given: Json | undefined,
  log: LossLog,
): Format {
  const schema = objectAt(given, "schema", log);
  return {
    kind: "schema",
    at: format.at,
    name: textAt(given, "name", log),
    description: rawTextAt(given, "description", log),
    schema: schema && { raw: schema.raw, form: "json-schema", at: schema.at } as const,
    strict: given?.get("strict")?.flag,
    places: { name: given?.get("name")?.at, description: given?.get("description")?.at },
  };
}

/** Reads an effort of reasoning. */
export function readReasoning(effort: Json | undefined): Reasoning | undefined {
  const known = effortOf(effort?.text);
  if (!effort) return undefined;
  return { mode: known === "none" ? "off" : "on", at: effort.at, effort: known };
}
