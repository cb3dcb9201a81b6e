/** Why the real Gemini refuses a request that is of the proto's form. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, string } from "../json.ts";
import { decoded } from "../model/media.ts";
import { field } from "./fields.ts";
import { toolsOf } from "./reply.ts";
import { innerSchemas, schemasOf } from "./request_misfit.ts";

/** Returns the first thing that is wrong with a `GenerateContentRequest`. */
export function contentsFault(request: JsonObject, model: string): string | undefined {
  const contents = list(request.contents).map(object);
  if (contents.length === 0) {
    return "* GenerateContentRequest.contents: contents is not specified\n";
  }
  const system = request.systemInstruction;
  const all = system === undefined ? contents : [object(system), ...contents];
  return all.map(contentFault).find((wrong) => wrong !== undefined) ??
    turnsFault(contents, model) ??
    configFault(object(request.generationConfig), model) ?? toolsFault(request) ??
    schemasOf(request).map(schemaFault).find((wrong) => wrong !== undefined);
}

function contentFault({ role, parts: all }: JsonObject): string | undefined {
  const parts = list(all).map(object);
  if (parts.length === 0) return "* GenerateContentRequest.contents.parts: parts is empty\n";
  if (role !== undefined && !["user", "model", "system"].includes(`${role}`)) {
    return "Please use a valid role: user, model.";
  }
  for (const part of parts) {
    // A signature may stand in a part without text.
    if (part.text === "" && field(part, "thoughtSignature") === undefined) {
      return "Unable to process input: a text part is empty.";
    }
    const names = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
    const data = names.filter((name) => field(part, name) !== undefined);
    if (data.length > 1) return "The oneof field 'data' of a part has been set already.";
    const inline = field(part, "inlineData");
    if (isObject(inline) && decoded(string(inline.data) ?? "") === undefined) {
      return "Unable to process input image. Please retry or report in the developer forum.";
    }
    const type = isObject(inline) ? string(field(inline, "mimeType")) ?? "" : undefined;
    if (type !== undefined && !mimeTypes.test(type)) return `Unsupported MIME type: ${type}`;
  }
  return undefined;
}

/** What Gemini reads inline. */
const mimeTypes =
  /^(image\/(png|jpeg|webp|heic|heif|gif)|application\/(pdf|json)|(text|audio|video)\/[a-z0-9.+-]+)$/;

const has = (name: string) => (part: Json): boolean => field(object(part), name) !== undefined;

/** Calls follow a question, and all their responses stand in one turn, by themselves. */
function turnsFault(contents: readonly JsonObject[], model: string): string | undefined {
  for (const [index, { role, parts }] of contents.entries()) {
    const calls = list(parts).filter(has("functionCall"));
    const responses = list(parts).filter(has("functionResponse"));
    const before = list(contents[index - 1]?.parts).filter(has("functionCall"));
    if (calls.length > 0 && (role !== "model" || index === 0)) {
      return "Please ensure that function call turn comes immediately after a user turn or after " +
        "a function response turn.";
    }
    if (responses.length !== before.length) {
      return before.length === 0
        ? "Please ensure that function response turn comes immediately after a function call turn."
        : "Please ensure that the number of function response parts is equal to the number of " +
          "function call parts of the function call turn.";
    }
    const isNewTurn = contents[index - 1]?.role !== "model";
    const signature = field(object(calls[0]), "thoughtSignature");
    if (isThird(model) && calls.length > 0 && isNewTurn && signature === undefined) {
      return "Function call is missing a thought_signature in functionCall parts.";
    }
  }
  return list(contents.at(-1)?.parts).some(has("functionCall"))
    ? "Please ensure that single turn requests end with a user role or the role field is empty."
    : undefined;
}

/** Models from Gemini 3 on. */
const isThird = (model: string): boolean => /gemini-([3-9]|\d\d)/.test(model);

function configFault(config: JsonObject, model: string): string | undefined {
  const limits: readonly (readonly [name: string, min: number, max: number])[] = [
    ["candidateCount", 1, 8],
    ["maxOutputTokens", 1, 2 ** 31],
    ["temperature", 0, 2],
    ["topP", 0, 1],
    ["topK", 1, 2 ** 31],
  ];
  for (const [name, min, max] of limits) {
    const value = number(config[name]);
    if (value !== undefined && (value < min || value > max)) {
      return `* GenerateContentRequest.generation_config.${name}: must be from ${min} to ${max}\n`;
    }
  }
  if (list(config.stopSequences).length > 5) {
    return "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed\n";
  }
  const both = config.responseSchema !== undefined && config.responseJsonSchema !== undefined;
  if (both) return "Only one of response_schema and response_json_schema can be set.";
  const schema = config.responseSchema ?? config.responseJsonSchema;
  const isJson = ["application/json", "text/x.enum"].includes(`${config.responseMimeType}`);
  if (schema !== undefined && !isJson) {
    return "Response schema is only supported with response_mime_type application/json.";
  }
  const thinking = object(config.thinkingConfig);
  const budget = field(thinking, "thinkingBudget");
  const level = field(thinking, "thinkingLevel");
  if (budget !== undefined && level !== undefined) {
    return "You can only set one of thinking budget and thinking level.";
  }
  if (level !== undefined && /gemini-[12]/.test(model)) {
    return "Thinking level is not supported for this model.";
  }
  const misfit = budgetFault(budget, model);
  if (misfit !== undefined) return misfit;
  const penalties = config.presencePenalty ?? config.frequencyPenalty;
  return isThird(model) && penalties !== undefined
    ? "Penalty is not enabled for this model."
    : undefined;
}

/** Budgets of thinking by model; 0 turns it off where that can be, and -1 leaves it to the model. */
const budgets: readonly (readonly [RegExp, least: number, most: number, off: boolean])[] = [
  [/gemini-2\.5-pro/, 128, 32_768, false],
  [/gemini-2\.5-flash-lite/, 512, 24_576, true],
  [/gemini-2\.5/, 1, 24_576, true],
];

function budgetFault(budget: Json | undefined, model: string): string | undefined {
  const [, least, most, off] = budgets.find(([pattern]) => pattern.test(model)) ?? [];
  if (typeof budget !== "number" || least === undefined || most === undefined) return undefined;
  if (budget === -1 || budget === 0 && off || budget >= least && budget <= most) return undefined;
  return `The thinking budget ${budget} is invalid. Please choose a value between ${least} and ${most}.`;
}

function toolsFault(request: JsonObject): string | undefined {
  const tools = toolsOf(request.tools);
  const names = tools.map(({ name }) => name);
  const wrong = names.find((name) => !/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(name));
  if (wrong !== undefined) {
    return "Invalid function name. Must start with a letter or an underscore. Must be " +
      "alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:) or dashes (-), with a " +
      "maximum length of 128.";
  }
  const empty = tools.find(({ schema }) => schema !== undefined && isWithoutMembers(schema));
  if (empty !== undefined) {
    return `* GenerateContentRequest.tools[0].function_declarations[${tools.indexOf(empty)}]` +
      `.parameters.properties: should be non-empty for OBJECT type\n`;
  }
  if (new Set(names).size < names.length) return "Duplicate function declaration found.";
  const calling = object(field(object(request.toolConfig), "functionCallingConfig"));
  const allowed = list(field(calling, "allowedFunctionNames"));
  if (allowed.length > 0 && calling.mode !== "ANY" && calling.mode !== "VALIDATED") {
    return "allowed_function_names should only be set when the mode is ANY.";
  }
  if (calling.mode === "ANY" && tools.length === 0) {
    return "Function calling mode is `ANY`, but no function_declarations are provided.";
  }
  const unknown = allowed.find((name) => !names.includes(`${name}`));
  return unknown === undefined
    ? undefined
    : `Function calling config's allowed_function_names holds ${unknown}, which is not declared.`;
}

/** An object without members, in its OpenAPI form: in a proto a map that is empty is not there. */
const isWithoutMembers = ({ type, properties }: JsonObject): boolean =>
  type === "OBJECT" && Object.keys(object(properties)).length === 0;

const types = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];

function schemaFault(schema: JsonObject): string | undefined {
  const { properties, required, items, format } = schema;
  const type = string(schema.type)?.toUpperCase();
  const anyOf = field(schema, "anyOf");
  if (type !== undefined && !types.includes(type)) {
    return `Invalid value at 'schema.type' (type.googleapis.com/Type), "${schema.type}"`;
  }
  if (type === undefined && anyOf === undefined) return "schema.type: should be specified.";
  if (anyOf !== undefined && Object.keys(schema).some((name) => !besideAnyOf.includes(name))) {
    return "When using any_of, it must be the only field set.";
  }
  if (list(schema.enum).includes("")) return "schema.enum[0]: cannot be empty";
  if (Array.isArray(schema.enum) && type !== "STRING") {
    return "schema.enum: only allowed for STRING type";
  }
  if (type === "STRING" && format !== undefined && format !== "enum" && format !== "date-time") {
    return "schema.format: only 'enum' and 'date-time' are supported for STRING type";
  }
  if (type === "ARRAY" && items === undefined) return "schema.items: missing field.";
  const names = Object.keys(object(properties));
  const extra = list(required).find((name) => !names.includes(`${name}`));
  if (extra !== undefined) return `schema.required: property '${extra}' is not defined`;
  return innerSchemas(schema).map(schemaFault).find((wrong) => wrong !== undefined);
}

const besideAnyOf = ["anyOf", "any_of", "nullable", "title", "description"];
