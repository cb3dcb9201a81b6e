/** Which dialect a line is of. Only its top-level members and those of its body are looked at. */
import type { Json } from "./json.ts";
import { canTranslate, envelopeOf, urlOf } from "./names.ts";
import type { DialectName } from "./names.ts";

/** A dialect, or the reason why there is none, which completes "the record is …". */
export type Detected =
  /** `open`: its body has nothing that only this dialect has. */
  | { readonly dialect: DialectName; readonly open?: true }
  /** Lines that only their own provider can run, such as moderations of OpenAI. */
  | { readonly native: "openai"; readonly form: string }
  | { readonly unknown: string; readonly open?: true };

/**
 * Finds the dialect of a line.
 *
 * @param line The line.
 * @param modelId The job's model: it decides where the form of the body leaves it open.
 */
export function detectDialect(line: Json, modelId?: string): Detected {
  if (line.kind !== "object") return { unknown: "not a JSON object" };
  const input = line.get("modelInput");
  if (input) return detectModelInput(input, modelId);
  // A record without an id gets one.
  if (line.get("params")) return detectParams(line);
  const body = line.get("body");
  if (body) return detectBody(line, body);
  const request = line.get("request");
  if (request) return detectRequest(request);
  for (const name of ["modelOutput", "response", "result", "error"]) {
    if (line.get(name)) return { unknown: `a line of results (it has ${name} and no request)` };
  }
  return detectBare(line);
}

function detectParams(line: Json): Detected {
  const params = line.get("params");
  if (params?.kind !== "object") return { unknown: "of no known form: params is not an object" };
  for (const name of ["contents", "input"]) {
    if (params.get(name)) {
      return {
        unknown: `of no known form: params holds ${name}, which Anthropic's messages have not`,
      };
    }
  }
  return { dialect: "anthropic" };
}

const openaiDialects = ["openai-chat", "openai-responses", "openai-embeddings"] as const;

function detectBody(line: Json, body: Json): Detected {
  if (body.kind !== "object") return { unknown: "of no known form: body is not an object" };
  const url = line.get("url")?.text;
  if (url === undefined) {
    return body.get("messages")
      ? { dialect: "openai-chat" }
      : { unknown: "of no known form: it has no url, and body no messages" };
  }
  const path = pathOfUrl(url);
  const dialect = openaiDialects.find((name) => urlOf(name) === path);
  return dialect ? { dialect } : { native: "openai", form: path };
}

/** The path of an endpoint, without host, query and a slash at its end. */
function pathOfUrl(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/, "").replace(/[?#].*$/s, "").replace(/\/+$/, "");
  return path.slice(0, 100);
}

function detectRequest(request: Json): Detected {
  if (request.get("contents")) return { dialect: "gemini" };
  if (request.get("content")) return { unknown: "a request of Gemini's embeddings" };
  return { unknown: "of no known form: request holds no contents" };
}

const bareForms: Readonly<Record<string, string>> = {
  messages: '{"recordId": …, "modelInput": …}',
  anthropic_version: '{"recordId": …, "modelInput": …}',
  inputText: '{"recordId": …, "modelInput": …}',
  prompt: '{"recordId": …, "modelInput": …}',
  contents: '{"key": …, "request": …}',
  input: '{"custom_id": …, "method": "POST", "url": …, "body": …}',
};

function detectBare(line: Json): Detected {
  const name = Object.keys(bareForms).find((key) => line.get(key));
  return name === undefined
    ? { unknown: "of no known form: it has none of modelInput, body, params and request" }
    : { unknown: `a body without its envelope: put it into ${bareForms[name]}` };
}

type Rule = readonly [when: (input: Json, modelId: string) => boolean, then: Detected];

const has = (...names: readonly string[]) => (input: Json) =>
  names.some((name) => input.get(name) !== undefined);

/** The first rule that fits decides. */
const modelInputRules: readonly Rule[] = [
  [has("anthropic_version"), { dialect: "bedrock-anthropic" }],
  [
    (input) => input.get("schemaVersion")?.text === "messages-v1",
    { dialect: "bedrock-nova" },
  ],
  [
    has("singleEmbeddingParams", "taskType"),
    { unknown: "a request of Nova's embeddings or images" },
  ],
  [
    has("textGenerationConfig"),
    { unknown: "a request of Titan's text models" },
  ],
  [has("inputText", "inputImage"), { dialect: "bedrock-titan-embed" }],
  [has("input_type"), { unknown: "a request of Cohere's embeddings" }],
  [
    (input) => input.get("prompt") !== undefined && isLlama(input),
    { dialect: "bedrock-llama" },
  ],
  [
    (input) => input.get("max_tokens_to_sample") !== undefined,
    { unknown: "a request of Claude's old completions" },
  ],
  [
    (input, modelId) => input.get("prompt") !== undefined && /llama/i.test(modelId),
    { dialect: "bedrock-llama" },
  ],
  [has("prompt"), { unknown: "a prompt for a text model of a form that is not known" }],
  [has("contents"), { unknown: "a request of Gemini in Bedrock's envelope" }],
  [isNova, { dialect: "bedrock-nova" }],
  [isConverse, { dialect: "bedrock-converse" }],
  [isClaude, { dialect: "bedrock-anthropic" }],
  [isOpenai, { dialect: "bedrock-openai" }],
  [
    (input, modelId) => has("messages")(input) && /anthropic\.|claude/.test(modelId),
    { dialect: "bedrock-anthropic" },
  ],
  [has("messages"), { dialect: "bedrock-openai", open: true }],
];

function detectModelInput(input: Json, modelId = ""): Detected {
  if (input.kind === "string") {
    return { unknown: "of no known form: modelInput is a text; it has to be an object" };
  }
  if (input.kind !== "object") return { unknown: "of no known form: modelInput is not an object" };
  const rule = modelInputRules.find(([when]) => when(input, modelId));
  return rule?.[1] ??
    { unknown: "of no known form: its modelInput is that of no known model", open: true };
}

function isLlama(input: Json): boolean {
  return has("max_gen_len")(input) ||
    (input.get("prompt")?.text?.slice(0, 1000).includes("<|") ?? false);
}

/** What the blocks of messages look like, of at most this many messages. */
const lookedAtMessages = 100;

function blocks(input: Json): Json[] {
  const messages = input.get("messages")?.list.slice(0, lookedAtMessages) ?? [];
  return messages.flatMap((message) => message.get("content")?.list ?? []);
}

function isNova(input: Json): boolean {
  const inference = input.get("inferenceConfig");
  return has("topK", "top_k", "max_new_tokens")(inference ?? input) && inference !== undefined ||
    blocks(input).some((block) => block.get("text") && block.get("cachePoint"));
}

function isConverse(input: Json): boolean {
  if (
    has(
      "inferenceConfig",
      "toolConfig",
      "additionalModelRequestFields",
      "outputConfig",
      "guardrailConfig",
      "promptVariables",
    )(input)
  ) return true;
  const all = blocks(input);
  return all.length > 0 &&
    all.every((block) => block.get("type") === undefined && block.members().length === 1);
}

const claudeParts: ReadonlySet<string> = new Set(
  ["tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document"],
);

function isClaude(input: Json): boolean {
  return has("stop_sequences", "system", "thinking")(input) ||
    (input.get("tools")?.list ?? []).some((tool) => tool.get("input_schema")) ||
    blocks(input).some((block) => claudeParts.has(block.get("type")?.text ?? ""));
}

function isOpenai(input: Json): boolean {
  const roles = new Set(["system", "developer", "tool"]);
  const messages = input.get("messages")?.list.slice(0, lookedAtMessages) ?? [];
  return has("max_completion_tokens", "response_format", "reasoning_effort", "tools")(input) ||
    messages.some((message) =>
      roles.has(message.get("role")?.text ?? "") || message.get("tool_calls") !== undefined
    ) ||
    blocks(input).some((block) => block.get("type")?.text === "image_url");
}

/** Returns whether a line is in the envelope of a dialect that was declared for its file. */
export function hasEnvelopeOf(line: Json, dialect: DialectName): boolean {
  switch (envelopeOf(dialect)) {
    case "bedrock":
      return line.get("modelInput")?.kind === "object";
    case "openai":
      return line.get("body")?.kind === "object";
    case "gemini":
      return line.get("request")?.kind === "object";
    case "anthropic":
      return line.get("params")?.kind === "object";
  }
}

/**
 * Returns whether a record may stand in a file of this dialect: it is of the same one, or its form
 * leaves open which one it is.
 *
 * @param detected What the record by itself looks like.
 */
export function fitsFile(detected: Detected, dialect: DialectName): boolean {
  // What its form leaves open is the file's; where it is wrong there, only the record is refused.
  if ("open" in detected && detected.open) return envelopeOf(dialect) === "bedrock";
  if (!("dialect" in detected)) return false;
  const { dialect: own } = detected;
  if (own === dialect) return true;
  // A record of texts only fits Converse and Nova, or Claude and OpenAI's form, alike.
  return envelopeOf(own) === "bedrock" && envelopeOf(dialect) === "bedrock" &&
    canTranslate(own, dialect) && openPairs.some((pair) => pair.has(own) && pair.has(dialect));
}

const openPairs: readonly ReadonlySet<DialectName>[] = [
  new Set(["bedrock-converse", "bedrock-nova"]),
  new Set(["bedrock-anthropic", "bedrock-openai"]),
];
