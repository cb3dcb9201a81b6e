/** Requests of Gemini's generateContent, read into neutral form. */
import type {
  ChatRequest,
  Effort,
  Extra,
  Format,
  Num,
  Part,
  Reasoning,
  Schema,
  Tool,
  ToolChoice,
  Turn,
} from "../chat.ts";
import type { Json } from "../json.ts";
import type { LossLog } from "../loss.ts";
import {
  listAt,
  numberAt,
  objectAt,
  othersOf,
  rawTextAt,
  reportOthers,
  stopsAt,
} from "../reading.ts";
import { bothSpellings, member, spelled } from "./members.ts";
import { CallIds, readParts } from "./parts.ts";

const known = bothSpellings(
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "cachedContent",
  "labels",
  "model",
);
const knownConfig = bothSpellings(
  "candidateCount",
  "stopSequences",
  "maxOutputTokens",
  "temperature",
  "topP",
  "topK",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "responseLogprobs",
  "logprobs",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "responseModalities",
  "thinkingConfig",
  "mediaResolution",
);

/** Reads the body of a request. */
export function readRequest(body: Json, log: LossLog): ChatRequest {
  const cached = member(body, "cachedContent");
  if (cached) log.refuse(cached.at, "cached content is known to Gemini only");
  const config = objectAt(body, spelled(body, "generationConfig"), log);
  refuseOtherAnswers(config, log);
  const number = (name: string) => numberAt(config, spelled(config, name), log);
  const ids = new CallIds();
  return {
    system: readSystem(member(body, "systemInstruction"), ids, log),
    turns: listAt(body, "contents", log).map((content) => readTurn(content, ids, log)),
    tools: listAt(body, "tools", log).flatMap((tool) => readTools(tool, log)),
    choice: readChoice(member(body, "toolConfig"), log),
    format: readFormat(config),
    maxOut: number("maxOutputTokens"),
    temperature: number("temperature"),
    topP: number("topP"),
    topK: number("topK"),
    stop: stopsAt(config, spelled(config, "stopSequences"), log),
    seed: number("seed"),
    answers: number("candidateCount"),
    presencePenalty: nonZero(number("presencePenalty")),
    frequencyPenalty: nonZero(number("frequencyPenalty")),
    logprobs: readLogprobs(config, number("logprobs")),
    reasoning: readReasoning(member(config, "thinkingConfig"), log),
    metadata: extraOf(body, "labels"),
    native: [...othersOf(body, known), ...othersOf(config, knownConfig)],
    nativeHints: [extraOf(config, "mediaResolution")].flatMap((extra) => extra ?? []),
  };
}

function nonZero(number: Num | undefined): Num | undefined {
  return number?.value === 0 ? undefined : number;
}

function extraOf(parent: Json | undefined, name: string): Extra | undefined {
  const value = member(parent, name);
  return value && { name, raw: value.raw, at: value.at };
}

function refuseOtherAnswers(config: Json | undefined, log: LossLog): void {
  const other = listAt(config, spelled(config, "responseModalities"), log).find(({ text }) =>
    text?.toUpperCase() !== "TEXT"
  );
  if (other) log.refuse(other.at, "an answer in sound or images is asked for");
}

function readSystem(system: Json | undefined, ids: CallIds, log: LossLog): Part[] {
  if (system?.kind === "string") return [{ kind: "text", text: system.raw, at: system.at }];
  return readParts(system, ids, log);
}

const knownOfTurn: ReadonlySet<string> = new Set(["role", "parts"]);

function readTurn(content: Json, ids: CallIds, log: LossLog): Turn {
  if (content.kind !== "object") log.refuse(content.at, "this content is not an object");
  if (!content.get("parts")) log.refuse(content.at, "this content has no parts");
  reportOthers(content, knownOfTurn, log);
  const role = content.get("role")?.text === "model" ? "assistant" : "user";
  const parts = readParts(content, ids, log);
  return { role, parts, at: content.at, content: content.get("parts")?.at };
}

function readTools(tool: Json, log: LossLog): Tool[] {
  return tool.members().flatMap(({ name, value }): Tool[] => {
    if (name === "functionDeclarations" || name === "function_declarations") {
      return listAt(tool, name, log).map((declared) => readFunction(declared, log));
    }
    return [{
      kind: "server",
      owner: "gemini",
      raw: tool.raw,
      what: name.slice(0, 40),
      at: value.at,
    }];
  });
}

function readFunction(declared: Json, log: LossLog): Tool {
  const own = declared.get("parameters");
  const json = member(declared, "parametersJsonSchema");
  const schema: Schema | undefined = json
    ? { raw: json.raw, form: "json-schema", at: json.at }
    : own && { raw: own.raw, form: "openapi", at: own.at };
  return {
    kind: "function",
    name: declared.get("name")?.text ?? "",
    at: declared.at,
    description: rawTextAt(declared, "description", log),
    schema: schema,
  };
}

function readChoice(config: Json | undefined, log: LossLog): ToolChoice | undefined {
  const calling = member(config, "functionCallingConfig");
  const mode = calling?.get("mode")?.text?.toUpperCase();
  if (!calling || mode === undefined) return undefined;
  const { at } = calling;
  const names = listAt(calling, spelled(calling, "allowedFunctionNames"), log).flatMap(({ text }) =>
    text ?? []
  );
  const [only, ...others] = names;
  if (mode === "NONE") return { mode: "none", at };
  if (only === undefined) return { mode: mode === "ANY" ? "any" : "auto", at };
  if (mode === "ANY" && others.length === 0) return { mode: "tool", name: only, at };
  return { mode: "allowed", names, must: mode === "ANY", at };
}

function readFormat(config: Json | undefined): Format | undefined {
  const own = member(config, "responseSchema");
  const json = member(config, "responseJsonSchema");
  const given = json ?? own;
  if (given) {
    const schema: Schema = {
      raw: given.raw,
      form: json ? "json-schema" : "openapi",
      at: given.at,
    };
    return { kind: "schema", schema, strict: true, at: given.at };
  }
  const type = member(config, "responseMimeType");
  return type?.text === "application/json" ? { kind: "json", at: type.at } : undefined;
}

function readLogprobs(config: Json | undefined, top: Num | undefined): ChatRequest["logprobs"] {
  const flag = member(config, "responseLogprobs");
  return flag?.flag === true ? { at: flag.at, top } : undefined;
}

const levels: Readonly<Record<string, Effort>> = {
  MINIMAL: "minimal",
  LOW: "low",
  MEDIUM: "medium",
  HIGH: "high",
};

function readReasoning(thinking: Json | undefined, log: LossLog): Reasoning | undefined {
  if (!thinking) return undefined;
  const budget = numberAt(thinking, spelled(thinking, "thinkingBudget"), log);
  const level = member(thinking, "thinkingLevel")?.text?.toUpperCase() ?? "";
  const effort = Object.hasOwn(levels, level) ? levels[level] : undefined;
  const show = member(thinking, "includeThoughts")?.flag;
  const shown = {
    ...(show === undefined ? {} : { show: show ? "summary" as const : "none" as const }),
  };
  const { at } = thinking;
  if (budget?.value === 0) return { mode: "off", at, ...shown };
  // -1: the model decides.
  if (budget === undefined && effort === undefined || budget && budget.value < 0) {
    return { mode: "adaptive", at, ...shown };
  }
  return { mode: "on", at, ...shown, budget: budget, effort: effort };
}
