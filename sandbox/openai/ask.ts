/** What requests to OpenAI's chat completions and Responses ask of the simulated models. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, number, object, string } from "../json.ts";
import type { Ask, Choice, Tool } from "../model/ask.ts";
import { dataUrl, type Media, type MediaKind } from "../model/media.ts";
import { contentText, conversation } from "../replies.ts";

/** Reads a request for a chat completion. */
export function chatAsk(body: JsonObject): Ask {
  const last = object(list(body.messages).at(-1));
  const tools = [...list(body.tools).map((tool) => object(tool).function), ...list(body.functions)];
  const stops = typeof body.stop === "string" ? [body.stop] : list(body.stop);
  const limit = number(body.max_completion_tokens) ?? number(body.max_tokens);
  return {
    ...conversation(body.messages),
    ...toolsAndChoice(tools, body, body.tool_choice ?? body.function_call),
    continues: last.role === "tool" || last.role === "function",
    ...formatOf(object(body.response_format), object(object(body.response_format).json_schema)),
    stops: stops.flatMap((stop) => typeof stop === "string" ? [stop] : []),
    ...(limit === undefined ? {} : { maxTokens: limit }),
    media: list(body.messages).flatMap((message) => mediaOf(object(message).content)),
    thinks: asksToThink(body.reasoning_effort),
  };
}

/** Reads a request for a response. */
export function responsesAsk(body: JsonObject): Ask {
  const { prompt, everything } = typeof body.input === "string"
    ? { prompt: body.input, everything: body.input }
    : conversation(list(body.input).filter((item) => object(item).role !== undefined));
  const limit = number(body.max_output_tokens);
  const format = object(object(body.text).format);
  const reasoning = object(body.reasoning);
  const last = object(list(body.input).at(-1));
  const tools = list(body.tools).filter((tool) => object(tool).type === "function");
  return {
    prompt,
    everything: (string(body.instructions) ?? "") + everything,
    ...toolsAndChoice(tools, body, body.tool_choice),
    continues: last.type === "function_call_output",
    ...formatOf(format, format),
    ...(limit === undefined ? {} : { maxTokens: limit }),
    media: list(body.input).flatMap((item) => mediaOf(object(item).content)),
    thinks: asksToThink(reasoning.effort) || string(reasoning.summary) !== undefined,
  };
}

const asksToThink = (effort: Json | undefined): boolean =>
  typeof effort === "string" && effort !== "none";

function toolsAndChoice(
  tools: (Json | undefined)[],
  body: JsonObject,
  choice: Json | undefined,
): Pick<Ask, "tools" | "choice" | "single"> {
  const all = tools.map(object).map(({ name, parameters }): Tool => ({
    name: string(name) ?? "",
    ...(isObject(parameters) ? { schema: parameters } : {}),
  }));
  const allowed = allowedTools(object(choice));
  return {
    tools: allowed === undefined ? all : all.filter(({ name }) => allowed.names.includes(name)),
    choice: allowed?.choice ?? choiceOf(choice),
    single: body.parallel_tool_calls === false,
  };
}

/** `allowed_tools`, whose members stand in an object of their own in chat completions. */
function allowedTools(choice: JsonObject): { names: string[]; choice: Choice } | undefined {
  if (choice.type !== "allowed_tools") return undefined;
  const { mode, tools } = isObject(choice.allowed_tools) ? choice.allowed_tools : choice;
  const names = list(tools).map(object)
    .map((tool) => string(object(tool.function).name) ?? string(tool.name) ?? "");
  return { names, choice: mode === "required" ? "any" : "auto" };
}

function choiceOf(choice: Json | undefined): Choice {
  if (isObject(choice)) {
    return { name: string(object(choice.function).name) ?? string(choice.name) ?? "" };
  }
  if (choice === "required") return "any";
  return choice === "none" ? "none" : "auto";
}

function formatOf({ type }: JsonObject, { schema }: JsonObject): Pick<Ask, "format"> {
  if (type === "json_object") return { format: {} };
  if (type !== "json_schema") return {};
  return { format: isObject(schema) ? { schema } : {} };
}

function mediaOf(content: Json | undefined): Media[] {
  return list(content).map(object).flatMap((part): Media[] => {
    const { type, image_url, input_audio, file } = part;
    if (type === "image_url") return [mediaAt("image", object(image_url).url)];
    if (type === "input_image") return [mediaAt("image", image_url ?? part.file_id)];
    if (type === "input_audio") {
      const { data, format } = object(input_audio);
      return [{ kind: "audio", type: `audio/${string(format) ?? ""}`, data: string(data) ?? "" }];
    }
    if (type !== "file" && type !== "input_file") return [];
    const { file_data, file_url, file_id } = type === "file" ? object(file) : part;
    return [mediaAt("document", file_data ?? file_url ?? file_id)];
  });
}

function mediaAt(kind: MediaKind, place: Json | undefined): Media {
  const url = string(place) ?? "another place";
  const inline = dataUrl(url);
  return inline === undefined ? { kind, url } : { kind, ...inline };
}

/** All text that the words of the sandbox are looked for in: the last of the user's. */
export function promptOf(endpoint: string, body: JsonObject): string {
  if (endpoint === "/v1/chat/completions") return chatAsk(body).prompt;
  if (endpoint === "/v1/responses") return responsesAsk(body).prompt;
  const input = endpoint === "/v1/embeddings" ? body.input : body.prompt;
  return Array.isArray(input)
    ? input.filter((each) => typeof each === "string").join("\n")
    : contentText(input);
}
