/** Why the real OpenAI refuses the body of a request. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object, string } from "../json.ts";
import { type Form, type Misfit, misfit } from "../model/form.ts";
import { dataUrl, decoded, typeOfBytes } from "../model/media.ts";
import { OpenAIError } from "./errors.ts";
import { chatForm, contentForms, embeddingsForm, responsesForm } from "./forms.ts";
import { modelFault } from "./model_rules.ts";
import { strictFault } from "./strict_rules.ts";

/** Returns the first thing that is wrong with a body; nothing where the endpoint has no rules. */
export function bodyFault(endpoint: string, body: JsonObject): OpenAIError | undefined {
  return checks[endpoint]?.(body);
}

const checks: Readonly<Record<string, (body: JsonObject) => OpenAIError | undefined>> = {
  "/v1/chat/completions": (body) =>
    formFault(body, chatForm) ?? modelFault(body) ?? chatPairsFault(list(body.messages)) ??
      toolsFault(list(body.tools).map((tool) => object(object(tool).function)), body) ??
      strictSchema(object(object(body.response_format).json_schema), "response_format") ??
      imagesFault(list(body.messages)),
  "/v1/responses": (body) =>
    formFault(body, responsesForm) ?? modelFault(body) ?? itemsFault(list(body.input)) ??
      toolsFault(
        list(body.tools).map(object).filter(({ type }) => type === "function"),
        body,
      ) ??
      strictSchema(object(object(body.text).format), "text.format") ??
      imagesFault(list(body.input)),
  "/v1/embeddings": (body) => {
    const wrong = formFault(body, embeddingsForm);
    if (wrong !== undefined) return wrong;
    return body.dimensions !== undefined && /ada-002/.test(string(body.model) ?? "")
      ? refuse("dimensions", "This model does not support specifying dimensions.")
      : undefined;
  },
};

/** Makes a refusal. */
function refuse(param: string, message: string, code: string | null = null): OpenAIError {
  return new OpenAIError(400, message, { param, code });
}

function formFault(value: Json, form: Form, at = ""): OpenAIError | undefined {
  const found = misfit(value, form);
  return found === undefined ? undefined : worded(found, at);
}

function worded({ path, kind, want }: Misfit, at: string): OpenAIError {
  const place = path.reduce<string>(
    (text, step) =>
      typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`,
    at,
  );
  switch (kind) {
    case "unknown":
      return path.length === 1
        ? refuse(place, `Unrecognized request argument supplied: ${place}`)
        : refuse(place, `Unknown parameter: '${place}'.`, "unknown_parameter");
    case "missing":
      return refuse(
        place,
        `Missing required parameter: '${place}'.`,
        "missing_required_parameter",
      );
    case "type":
      return refuse(place, `Invalid type for '${place}': expected ${want}.`, "invalid_type");
    default:
      return refuse(place, `Invalid value for '${place}': expected ${want}.`, "invalid_value");
  }
}

/** Every call has a tool message right behind it, and every tool message a call. */
function chatPairsFault(messages: readonly Json[]): OpenAIError | undefined {
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const { role, content, refusal, tool_calls, function_call, tool_call_id } = object(message);
    const at = `messages[${index}]`;
    if (role === "tool") {
      const id = string(tool_call_id) ?? "";
      if (!open.includes(id)) {
        return refuse(
          `${at}.role`,
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding " +
            "message with 'tool_calls'.",
        );
      }
      open = open.filter((each) => each !== id);
      continue;
    }
    if (open.length > 0) return unanswered(open, at);
    const calls = list(tool_calls);
    open = calls.map((call) => string(object(call).id) ?? "");
    const isEmpty = (content ?? refusal ?? null) === null && calls.length === 0;
    if (role === "assistant" && isEmpty && function_call === undefined) {
      return refuse(`${at}.content`, `Invalid value for 'content': expected a string, got null.`);
    }
  }
  return open.length > 0 ? unanswered(open, `messages[${messages.length}]`) : undefined;
}

function unanswered(ids: readonly string[], at: string): OpenAIError {
  return refuse(
    at,
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each " +
      `'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`,
  );
}

function itemsFault(items: readonly Json[]): OpenAIError | undefined {
  const calls = new Set<Json>();
  const outputs = new Set<Json>();
  for (const [index, item] of items.entries()) {
    const { type = "message", role, content, call_id } = object(item);
    if (type === "message") {
      const form = contentForms[role === "assistant" ? "output" : "input"];
      const wrong = formFault(content ?? null, form, `input[${index}].content`);
      if (wrong !== undefined) return wrong;
    }
    if (type === "function_call") calls.add(call_id ?? null);
    if (type !== "function_call_output") continue;
    if (!calls.has(call_id ?? null)) {
      return refuse(
        "input",
        `No tool call found for function call output with call_id ${call_id}.`,
      );
    }
    outputs.add(call_id ?? null);
  }
  const open = [...calls].find((id) => !outputs.has(id));
  return open === undefined
    ? undefined
    : refuse("input", `No tool output found for function call ${open}.`);
}

function toolsFault(
  functions: readonly JsonObject[],
  body: JsonObject,
): OpenAIError | undefined {
  for (const [index, { name, parameters, strict }] of functions.entries()) {
    if (!isObject(parameters)) continue;
    const at = `tools[${index}].function.parameters`;
    const wrong = parameters.type !== "object"
      ? `schema must be a JSON Schema of 'type: "object"', got 'type: "${parameters.type}"'.`
      : strict === true
      ? strictFault(parameters)
      : undefined;
    if (wrong !== undefined) {
      const message = `Invalid schema for function '${name}': ${wrong}`;
      return refuse(at, message, "invalid_function_parameters");
    }
  }
  const choice = body.tool_choice;
  if (choice === undefined || choice === null || choice === "none") return undefined;
  if (list(body.tools).length === 0) {
    return refuse("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.");
  }
  const { type, function: inner, name } = object(choice);
  const chosen = object(inner).name ?? name;
  return type === "function" && !functions.some((each) => each.name === chosen)
    ? refuse("tool_choice", `Tool choice '${chosen}' not found in 'tools' parameter.`)
    : undefined;
}

function strictSchema({ name, schema, strict }: JsonObject, param: string) {
  const wrong = strict === true && isObject(schema) ? strictFault(schema) : undefined;
  return wrong === undefined
    ? undefined
    : refuse(param, `Invalid schema for response_format '${name}': ${wrong}`);
}

const imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];

function imagesFault(messages: readonly Json[]): OpenAIError | undefined {
  for (const [index, message] of messages.entries()) {
    for (const part of list(object(message).content).map(object)) {
      const url = string(object(part.image_url).url) ?? string(part.image_url);
      const inline = dataUrl(url ?? "");
      const at = `messages[${index}].content.image_url`;
      if (url?.startsWith("data:") && inline === undefined) {
        return refuse(at, "Invalid base64 image_url.", "invalid_base64");
      }
      if (inline === undefined) continue;
      const bytes = decoded(inline.data);
      if (bytes === undefined) return refuse(at, "Invalid base64 image_url.", "invalid_base64");
      if (!imageTypes.includes(typeOfBytes(bytes) ?? "")) {
        return refuse(
          at,
          "You uploaded an unsupported image. Please make sure your image has of one the " +
            "following formats: ['png', 'jpeg', 'gif', 'webp'].",
          "invalid_image_format",
        );
      }
    }
  }
  return undefined;
}
