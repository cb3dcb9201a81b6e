/** The form of Messages parameters (API of 2026-10-21), at Anthropic and on Bedrock. */
import {
  anything,
  boolean,
  type Form,
  listOf,
  map,
  type ObjectForm,
  objectOf,
  oneOf,
  open,
  text,
} from "../model/form.ts";

const id: Form = { is: "text", pattern: /[a-zA-Z0-9_-]+/ };
const toolName: Form = { is: "text", pattern: /[a-zA-Z0-9_-]{1,128}/ };
const imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const textBlock = objectOf({ text, ...open("cache_control", "citations") }, "text");

const imageSource: Form = {
  is: "tagged",
  by: "type",
  closed: true,
  forms: {
    base64: objectOf({ media_type: oneOf(...imageTypes), data: text }, "media_type", "data"),
    url: objectOf({ url: text }, "url"),
    file: objectOf({ file_id: text }, "file_id"),
  },
};

const documentSource: Form = {
  is: "tagged",
  by: "type",
  closed: true,
  forms: {
    base64: objectOf({ media_type: oneOf("application/pdf"), data: text }, "media_type", "data"),
    text: objectOf({ media_type: oneOf("text/plain"), data: text }, "media_type", "data"),
    content: objectOf({ content: anything }, "content"),
    url: objectOf({ url: text }, "url"),
    file: objectOf({ file_id: text }, "file_id"),
  },
};

const image = objectOf({ source: imageSource, cache_control: anything }, "source");
const document = objectOf(
  { source: documentSource, title: text, context: text, citations: map, cache_control: anything },
  "source",
);

const content = (forms: Readonly<Record<string, ObjectForm>>): Form => ({
  is: "either",
  of: [text, listOf({ is: "tagged", by: "type", forms })],
});

const blocks = {
  text: textBlock,
  image,
  document,
  tool_use: objectOf(
    { id, name: toolName, input: map, ...open("cache_control", "caller") },
    "id",
    "name",
    "input",
  ),
  tool_result: objectOf(
    {
      tool_use_id: id,
      content: content({ text: textBlock, image, document }),
      is_error: boolean,
      cache_control: anything,
    },
    "tool_use_id",
  ),
  thinking: objectOf({ thinking: text, signature: text }, "thinking", "signature"),
  redacted_thinking: objectOf({ data: text }, "data"),
} as const;

const message = objectOf(
  { role: oneOf("user", "assistant", "system"), content: content(blocks) },
  "role",
  "content",
);

/** A tool of the caller's own; tools of Anthropic's have a `type` that is dated. */
const tool: Form = {
  is: "tagged",
  by: "type",
  preset: "custom",
  forms: {
    custom: objectOf(
      {
        name: toolName,
        description: text,
        input_schema: map,
        strict: boolean,
        ...open("cache_control", "defer_loading", "eager_input_streaming", "input_examples"),
        ...open("allowed_callers"),
      },
      "name",
      "input_schema",
    ),
  },
};

const parallel = { disable_parallel_tool_use: boolean };

const thinking: Form = {
  is: "tagged",
  by: "type",
  closed: true,
  forms: {
    enabled: objectOf(
      { budget_tokens: { is: "number", whole: true, min: 1024 }, display: anything },
      "budget_tokens",
    ),
    adaptive: objectOf({ display: anything }),
    disabled: objectOf({}),
  },
};

const shared: Readonly<Record<string, Form>> = {
  max_tokens: { is: "number", whole: true, min: 1 },
  messages: listOf(message, 1),
  system: {
    is: "either",
    of: [text, listOf({ is: "tagged", by: "type", forms: { text: textBlock } })],
  },
  temperature: { is: "number", min: 0, max: 1 },
  top_p: { is: "number", min: 0, max: 1 },
  top_k: { is: "number", whole: true, min: 0 },
  stop_sequences: listOf({ is: "text", pattern: /[^]*\S[^]*/ }),
  tools: listOf(tool),
  tool_choice: {
    is: "tagged",
    by: "type",
    closed: true,
    forms: {
      auto: objectOf(parallel),
      any: objectOf(parallel),
      tool: objectOf({ name: text, ...parallel }, "name"),
      none: objectOf({}),
    },
  },
  thinking,
  output_config: objectOf({
    effort: oneOf("low", "medium", "high", "xhigh", "max"),
    format: {
      is: "tagged",
      by: "type",
      closed: true,
      forms: { json_schema: objectOf({ schema: map }, "schema") },
    },
    task_budget: anything,
  }),
  metadata: objectOf({ user_id: text }),
  ...open("cache_control", "context_management"),
};

/** Parameters of a message at Anthropic. */
export const messageForm: Form = objectOf(
  {
    model: text,
    ...shared,
    stream: boolean,
    service_tier: oneOf("auto", "standard_only"),
    ...open("container", "diagnostics", "inference_geo", "mcp_servers", "speed"),
    ...open("user_profile_id", "workspace_id"),
  },
  "model",
  "max_tokens",
  "messages",
);

/** The body of InvokeModel for Claude on Bedrock. */
export const bedrockMessageForm: Form = objectOf(
  { anthropic_version: oneOf("bedrock-2023-05-31"), anthropic_beta: anything, ...shared },
  "anthropic_version",
  "max_tokens",
  "messages",
);
