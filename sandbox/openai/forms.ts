/** The forms of requests to OpenAI (its types of November 2026). */
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

const name: Form = { is: "text", pattern: /[a-zA-Z0-9_-]{1,64}/ };
const number = (min: number, max: number): Form => ({ is: "number", min, max });
const whole = (min: number, max = Number.MAX_SAFE_INTEGER): Form => ({
  is: "number",
  whole: true,
  min,
  max,
});
const tagged = (forms: Readonly<Record<string, ObjectForm>>, preset?: string): Form => ({
  is: "tagged",
  by: "type",
  closed: true,
  forms,
  ...(preset === undefined ? {} : { preset }),
});
const either = (...of: readonly Form[]): Form => ({ is: "either", of });

const functionForm = objectOf(
  { name, description: text, parameters: map, strict: boolean },
  "name",
);
const schemaForm = objectOf({ name, description: text, schema: map, strict: boolean }, "name");

const textPart = objectOf({ text, prompt_cache_breakpoint: anything }, "text");
const refusalPart = objectOf({ refusal: text }, "refusal");
const texts = either(text, listOf(tagged({ text: textPart })));

const userContent = either(
  text,
  listOf(
    tagged({
      text: textPart,
      image_url: objectOf(
        {
          image_url: objectOf(
            { url: text, detail: oneOf("auto", "low", "high", "original") },
            "url",
          ),
        },
        "image_url",
      ),
      input_audio: objectOf(
        {
          input_audio: objectOf({ data: text, format: oneOf("wav", "mp3") }, "data", "format"),
        },
        "input_audio",
      ),
      file: objectOf(
        { file: objectOf({ file_data: text, file_id: text, filename: text }) },
        "file",
      ),
    }),
    1,
  ),
);

const call = tagged({
  function: objectOf(
    { id: text, function: objectOf({ name: text, arguments: text }, "name", "arguments") },
    "id",
    "function",
  ),
  custom: objectOf({ id: text, custom: map }, "id", "custom"),
});

const message: Form = {
  is: "tagged",
  by: "role",
  closed: true,
  forms: {
    system: objectOf({ content: texts, name: text }, "content"),
    developer: objectOf({ content: texts, name: text }, "content"),
    user: objectOf({ content: userContent, name: text }, "content"),
    assistant: objectOf({
      content: either(text, listOf(tagged({ text: textPart, refusal: refusalPart }))),
      name: text,
      refusal: text,
      tool_calls: listOf(call, 1),
      function_call: map,
      audio: anything,
      annotations: anything,
    }),
    tool: objectOf({ content: texts, tool_call_id: text }, "content", "tool_call_id"),
    function: objectOf({ content: anything, name: text }, "name"),
  },
};

const shared: Readonly<Record<string, Form>> = {
  model: text,
  metadata: map,
  parallel_tool_calls: boolean,
  safety_identifier: text,
  service_tier: oneOf("auto", "default", "flex", "scale", "priority", "fast"),
  store: boolean,
  stream: boolean,
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_logprobs: whole(0, 20),
  user: text,
  prompt_cache_key: text,
  ...open("moderation", "prompt_cache_options", "prompt_cache_retention", "stream_options"),
};

/** A request for a chat completion. */
export const chatForm: Form = objectOf(
  {
    ...shared,
    messages: listOf(message, 1),
    frequency_penalty: number(-2, 2),
    presence_penalty: number(-2, 2),
    logit_bias: map,
    logprobs: boolean,
    max_completion_tokens: whole(1),
    max_tokens: whole(1),
    n: whole(1, 128),
    reasoning_effort: oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    response_format: tagged({
      text: objectOf({}),
      json_object: objectOf({}),
      json_schema: objectOf({ json_schema: schemaForm }, "json_schema"),
    }),
    seed: whole(-Number.MAX_SAFE_INTEGER),
    stop: either(text, listOf(text, 0, 4)),
    tools: listOf(
      tagged({
        function: objectOf({ function: functionForm }, "function"),
        custom: objectOf({ custom: map }, "custom"),
      }),
      1,
    ),
    tool_choice: either(
      oneOf("none", "auto", "required"),
      tagged({
        function: objectOf({ function: objectOf({ name: text }, "name") }, "function"),
        custom: objectOf({ custom: map }, "custom"),
        allowed_tools: objectOf({ allowed_tools: map }, "allowed_tools"),
      }),
    ),
    functions: listOf(functionForm),
    function_call: anything,
    verbosity: oneOf("low", "medium", "high"),
    ...open("audio", "modalities", "prediction", "web_search_options"),
  },
  "model",
  "messages",
);

const inputContent = either(
  text,
  listOf(tagged({
    input_text: objectOf({ text, prompt_cache_breakpoint: anything }, "text"),
    input_image: objectOf({ image_url: text, file_id: text, detail: text }),
    input_file: objectOf({ file_data: text, file_id: text, file_url: text, filename: text }),
  })),
);

const item: Form = {
  is: "tagged",
  by: "type",
  preset: "message",
  forms: {
    message: objectOf(
      {
        role: oneOf("user", "assistant", "system", "developer"),
        content: anything,
        ...open("id", "status", "phase"),
      },
      "role",
      "content",
    ),
    function_call: objectOf(
      {
        call_id: text,
        name: text,
        arguments: text,
        ...open("id", "status", "namespace", "caller"),
      },
      "call_id",
      "name",
      "arguments",
    ),
    function_call_output: objectOf(
      { call_id: text, output: inputContent, ...open("id", "status", "caller") },
      "call_id",
      "output",
    ),
    reasoning: objectOf(
      {
        id: text,
        summary: listOf(tagged({ summary_text: objectOf({ text }, "text") })),
        encrypted_content: text,
        ...open("content", "status"),
      },
      "summary",
    ),
  },
};

/** Parts of a message's content in Responses, by its role. */
export const contentForms: Readonly<Record<"input" | "output", Form>> = {
  input: inputContent,
  output: either(
    text,
    listOf(tagged({
      output_text: objectOf({ text, ...open("annotations", "logprobs") }, "text"),
      refusal: refusalPart,
    })),
  ),
};

/** A request for a response. */
export const responsesForm: Form = objectOf(
  {
    ...shared,
    input: either(text, listOf(item, 1)),
    instructions: text,
    include: listOf(text),
    max_output_tokens: whole(16),
    max_tool_calls: whole(1),
    reasoning: objectOf({
      effort: oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max"),
      summary: oneOf("auto", "concise", "detailed"),
      ...open("generate_summary", "context", "mode"),
    }),
    text: objectOf({
      format: tagged({
        text: objectOf({}),
        json_object: objectOf({}),
        json_schema: objectOf(
          { name, description: text, schema: map, strict: boolean },
          "name",
          "schema",
        ),
      }),
      verbosity: oneOf("low", "medium", "high"),
    }),
    tools: listOf({
      is: "tagged",
      by: "type",
      forms: {
        function: objectOf(
          {
            name,
            description: text,
            parameters: map,
            strict: boolean,
            ...open("defer_loading", "allowed_callers", "output_schema"),
          },
          "name",
        ),
      },
    }),
    tool_choice: either(oneOf("none", "auto", "required"), map),
    truncation: oneOf("auto", "disabled"),
    previous_response_id: text,
    background: boolean,
    ...open("access_programs", "context_management", "conversation", "image", "prompt"),
  },
  "model",
  "input",
);

/** A request for embeddings. */
export const embeddingsForm: Form = objectOf(
  {
    model: text,
    input: either(
      { is: "text", pattern: /[^]+/ },
      listOf(either({ is: "text", pattern: /[^]+/ }, whole(0), listOf(whole(0), 1)), 1, 2048),
    ),
    dimensions: whole(1, 3072),
    encoding_format: oneOf("float", "base64"),
    user: text,
  },
  "model",
  "input",
);
