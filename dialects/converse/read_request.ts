/** Requests of Converse and of Nova's InvokeModel, whose forms are alike, read into neutral form. */
import type {
  ChatRequest,
  Extra,
  Format,
  FunctionTool,
  Num,
  Part,
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
import { readBlocks } from "./blocks.ts";

/** Members of Converse (botocore 1.44.8) and of Nova's body that are read below. */
const known: ReadonlySet<string> = new Set([
  "schemaVersion",
  "messages",
  "system",
  "inferenceConfig",
  "toolConfig",
  "additionalModelRequestFields",
  "additionalModelResponseFieldPaths",
  "promptVariables",
  "requestMetadata",
  "serviceTier",
  "performanceConfig",
  "outputConfig",
]);
const knownInference: ReadonlySet<string> = new Set([
  "maxTokens",
  "max_new_tokens",
  "temperature",
  "topP",
  "top_p",
  "topK",
  "top_k",
  "stopSequences",
]);
const knownFields: ReadonlySet<string> = new Set([
  "top_k",
  "topK",
  "inferenceConfig",
  "thinking",
  "reasoning_effort",
  "reasoning",
  "reasoningConfig",
  "tool_choice",
  "anthropic_beta",
  "output_config",
]);
const knownInner: ReadonlySet<string> = new Set(["topK"]);
const knownOutput: ReadonlySet<string> = new Set(["textFormat", "effort"]);

/** Reads the body of a request. */
export function readRequest(body: Json, log: LossLog): ChatRequest {
  const prompt = body.get("promptVariables");
  if (prompt) log.refuse(prompt.at, "a prompt of Bedrock's prompt management is known to it only");
  const inference = objectAt(body, "inferenceConfig", log);
  const fields = objectAt(body, "additionalModelRequestFields", log);
  const tools = objectAt(body, "toolConfig", log);
  const output = objectAt(body, "outputConfig", log);
  const paths = listAt(body, "additionalModelResponseFieldPaths", log);
  const number = (name: string) => numberAt(inference, name, log);
  const inner = objectAt(fields, "inferenceConfig", log);
  const topK = number("topK") ?? number("top_k") ?? numberAt(fields, "top_k", log) ??
    numberAt(fields, "topK", log) ?? numberAt(inner, "topK", log);
  return {
    system: readBlocks(listAt(body, "system", log), log),
    turns: readTurns(body, log),
    tools: listAt(tools, "tools", log).flatMap((tool) => readTool(tool, log)),
    choice: readChoice(objectAt(tools, "toolChoice", log), log),
    parallel: readParallel(fields),
    format: readFormat(output?.get("textFormat"), log),
    maxOut: number("maxTokens") ?? number("max_new_tokens"),
    temperature: number("temperature"),
    topP: number("topP") ?? number("top_p"),
    topK: topK,
    stop: stopsAt(inference, "stopSequences", log),
    reasoning: readReasoning(output, fields, log),
    metadata: extraAt(body, "requestMetadata"),
    tier: tierOf(body),
    wantsStopText: paths.some(isStopText) || undefined,
    native: natives(body, inference, fields, inner, output),
    nativeHints: hints([
      extraAt(body, "performanceConfig"),
      // The stop sequence that was met is in every answer of Claude's: nothing more is asked for.
      paths.every(isStopText) ? undefined : extraAt(body, "additionalModelResponseFieldPaths"),
      extraAt(fields, "anthropic_beta"),
    ]),
  };
}

function isStopText({ text }: Json): boolean {
  return text === "/stop_sequence";
}

function hints(extras: readonly (Extra | undefined)[]): Extra[] {
  return extras.every((extra) => extra === undefined)
    ? []
    : extras.filter((extra) => extra !== undefined);
}

function natives(
  body: Json,
  inference: Json | undefined,
  fields: Json | undefined,
  inner: Json | undefined,
  output: Json | undefined,
): Extra[] {
  const others = othersOf(body, known);
  if (inference) others.push(...othersOf(inference, knownInference));
  if (fields) others.push(...othersOf(fields, knownFields));
  if (inner) others.push(...othersOf(inner, knownInner));
  if (output) others.push(...othersOf(output, knownOutput));
  return others;
}

function tierOf(body: Json): Extra | undefined {
  const type = body.get("serviceTier")?.get("type");
  return type && { name: "serviceTier", raw: type.raw, at: type.at };
}

function readTurns(body: Json, log: LossLog): Turn[] {
  const turns: Turn[] = [];
  for (const message of listAt(body, "messages", log)) turns.push(readTurn(message, log));
  return turns;
}

const knownOfTurn: ReadonlySet<string> = new Set(["role", "content"]);

function readTurn(message: Json, log: LossLog): Turn {
  const role = textAt(message, "role", log);
  if (role !== "user" && role !== "assistant" && role !== "system") {
    log.refuse(message.at, "the role of a message is not user, assistant or system");
  }
  reportOthers(message, knownOfTurn, log);
  const content = message.get("content");
  const parts: readonly Part[] = content?.kind === "string"
    ? [{ kind: "text", text: content.raw, at: content.at }]
    : readBlocks(listAt(message, "content", log), log);
  return { role, parts, at: message.at, content: content?.at };
}

function readTool(tool: Json, log: LossLog): Tool[] {
  const spec = tool.get("toolSpec");
  if (tool.get("cachePoint")) {
    log.hint("dropped", tool.at, "cache points behind tools are not carried over");
    return [];
  }
  if (!spec) {
    const what = tool.members()[0]?.name ?? "unknown";
    return [{ kind: "server", owner: "bedrock", raw: tool.raw, what, at: tool.at }];
  }
  const schema = spec.get("inputSchema")?.get("json");
  const read: FunctionTool = {
    kind: "function",
    name: textAt(spec, "name", log) ?? "",
    at: tool.at,
    description: rawTextAt(spec, "description", log),
    schema: schema && { raw: schema.raw, form: "json-schema", at: schema.at } as const,
    strict: spec.get("strict")?.flag,
    places: { strict: spec.get("strict")?.at },
  };
  return [read];
}

function readChoice(choice: Json | undefined, log: LossLog): ToolChoice | undefined {
  if (!choice) return undefined;
  const tool = choice.get("tool");
  if (tool) return { mode: "tool", name: textAt(tool, "name", log) ?? "", at: choice.at };
  if (choice.get("any")) return { mode: "any", at: choice.at };
  return { mode: "auto", at: choice.at };
}

function readParallel(fields: Json | undefined): ChatRequest["parallel"] {
  const flag = fields?.get("tool_choice")?.get("disable_parallel_tool_use");
  return flag?.flag === undefined ? undefined : { value: !flag.flag, at: flag.at };
}

function readFormat(format: Json | undefined, log: LossLog): Format | undefined {
  const given = format?.get("structure")?.get("jsonSchema");
  if (!format || !given) return undefined;
  const schema = given.get("schema");
  const text = textAt(given, "schema", log);
  return {
    kind: "schema",
    at: format.at,
    name: textAt(given, "name", log),
    description: rawTextAt(given, "description", log),
    places: { name: given.get("name")?.at, description: given.get("description")?.at },
    // The schema is a text that holds JSON: unescaped once, it is the schema as it was written.
    ...(schema && text !== undefined
      ? {
        schema: { raw: text, form: "json-schema" as const, at: schema.at, inText: true as const },
      }
      : {}),
  };
}

function readReasoning(
  output: Json | undefined,
  fields: Json | undefined,
  log: LossLog,
): Reasoning | undefined {
  const thinking = objectAt(fields, "thinking", log);
  const config = objectAt(fields, "reasoningConfig", log);
  const effort = output?.get("effort") ?? fields?.get("output_config")?.get("effort") ??
    fields?.get("reasoning_effort") ?? fields?.get("reasoning")?.get("effort") ??
    config?.get("maxReasoningEffort");
  const type = (thinking ?? config)?.get("type")?.text;
  const budget: Num | undefined = numberAt(thinking, "budget_tokens", log);
  const at = (thinking ?? config ?? effort)?.at;
  if (at === undefined) return undefined;
  return {
    mode: type === "disabled" || effort?.text === "none"
      ? "off"
      : type === "adaptive"
      ? "adaptive"
      : "on",
    at,
    budget: budget,
    effort: effortOf(effort?.text),
  };
}
