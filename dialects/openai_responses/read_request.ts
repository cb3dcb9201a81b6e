/** Requests of OpenAI's Responses, read into neutral form. */
import type { ChatRequest, Part, Reasoning, Tool, Turn } from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import { readChoice, readReasoning, readSchemaFormat } from "../openai_chat/read_request.ts";
import { extraAt, listAt, numberAt, objectAt, othersOf, rawTextAt, textAt } from "../reading.ts";
import { isSystemItem, readItem } from "./items.ts";

/** Members of a Responses request (openai 7.59) that are read below. */
const known: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "stream",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "text",
  "max_output_tokens",
  "temperature",
  "top_p",
  "top_logprobs",
  "reasoning",
  "user",
  "safety_identifier",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "store",
  "include",
  "truncation",
  "background",
  "stream_options",
]);

/** What of a request only OpenAI itself holds. */
const stateful = ["previous_response_id", "conversation", "prompt"];

/** Reads the body of a request. */
export function readRequest(body: Json, log: LossLog): ChatRequest {
  for (const name of stateful) {
    const value = body.get(name);
    if (value) log.refuse(value.at, `${name} is known to OpenAI only`);
  }
  const items = inputItems(body, log);
  const firstTurn = items.findIndex((item) => !isSystemItem(item));
  const leading = firstTurn < 0 ? items : items.slice(0, firstTurn);
  const instructions = body.get("instructions");
  const text = objectAt(body, "text", log);
  const number = (name: string) => numberAt(body, name, log);
  const single = body.get("parallel_tool_calls");
  const store = body.get("store");
  const top = number("top_logprobs");
  return {
    system: [
      ...(instructions?.kind === "string"
        ? [{ kind: "text" as const, text: instructions.raw, at: instructions.at }]
        : []),
      ...leading.flatMap((item) => readItem(item, log).parts),
    ],
    turns: [...textInput(body), ...mergeItems(items.slice(leading.length), log)],
    tools: listAt(body, "tools", log).map((tool) => readTool(tool, log)),
    choice: readChoice(body.get("tool_choice"), log),
    parallel: single?.flag === undefined ? undefined : { value: single.flag, at: single.at },
    format: readFormat(text?.get("format"), log),
    maxOut: number("max_output_tokens"),
    temperature: number("temperature"),
    topP: number("top_p"),
    stop: [],
    logprobs: top && { at: top.at, top },
    reasoning: reasoningOf(objectAt(body, "reasoning", log), log),
    user: extraAt(body, "safety_identifier") ?? extraAt(body, "user"),
    metadata: extraAt(body, "metadata"),
    tier: extraAt(body, "service_tier"),
    cacheKey: extraAt(body, "prompt_cache_key"),
    store: store?.flag === undefined ? undefined : { value: store.flag, at: store.at },
    native: [...othersOf(body, known), ...othersOf(text, new Set(["format"]))],
    nativeHints: ["include", "truncation"].flatMap((name) => extraAt(body, name) ?? []),
  };
}

function inputItems(body: Json, log: LossLog): readonly Json[] {
  return body.get("input")?.kind === "string" ? [] : listAt(body, "input", log);
}

function textInput(body: Json): Turn[] {
  const input = body.get("input");
  if (input?.kind !== "string") return [];
  return [{
    role: "user",
    parts: [{ kind: "text", text: input.raw, at: input.at }],
    at: input.at,
  }];
}

/** Reasoning, words and calls of one step are items of their own: they are one turn. */
function mergeItems(items: readonly Json[], log: LossLog): Turn[] {
  const turns: (Turn & { parts: Part[] })[] = [];
  let open = false;
  for (const item of items) {
    const { role, parts, joins, content } = readItem(item, log);
    const last = turns.at(-1);
    if (last?.role === role && joins && open) last.parts.push(...parts);
    else turns.push({ role, parts: [...parts], at: item.at, content });
    open = joins || role === "assistant";
  }
  return turns;
}

function readTool(tool: Json, log: LossLog): Tool {
  const type = textAt(tool, "type", log) ?? "unknown";
  if (type !== "function") {
    return { kind: "server", owner: "openai", raw: tool.raw, what: type, at: tool.at };
  }
  const schema = objectAt(tool, "parameters", log);
  return {
    kind: "function",
    name: textAt(tool, "name", log) ?? "",
    at: tool.at,
    description: rawTextAt(tool, "description", log),
    schema: schema && { raw: schema.raw, form: "json-schema", at: schema.at } as const,
    strict: tool.get("strict")?.flag,
    places: { strict: tool.get("strict")?.at },
  };
}

function readFormat(format: Json | undefined, log: LossLog): ChatRequest["format"] {
  const type = format?.get("type")?.text;
  if (!format || type === "text") return undefined;
  if (type === "json_object") return { kind: "json", at: format.at };
  return readSchemaFormat(format, format, log);
}

function reasoningOf(reasoning: Json | undefined, log: LossLog): Reasoning | undefined {
  if (!reasoning) return undefined;
  const summary = textAt(reasoning, "summary", log);
  const read = readReasoning(reasoning.get("effort"));
  const shown = summary === undefined ? {} : { show: "summary" as const };
  return { mode: "adaptive", at: reasoning.at, ...read, ...shown };
}
