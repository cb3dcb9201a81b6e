/** JSON schemas: what went wrong with them elsewhere, a row each. */
import { chat, gemini, hi, testRows } from "./rows.ts";
import type { Row } from "./rows.ts";

/** A record of chat completions with one tool, or one form of its answer, of this schema. */
const tool = (schema: string, strict = "") =>
  chat(
    hi.chat,
    `,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":${schema}${strict}}}]`,
  );
const parameters = "body.tools[0].function.parameters";
const geminiTool = { from: "openai-chat", to: "gemini" } as const;

const schemas: readonly Row[] = [
  {
    title: "Numbers of an enum go where they may stay numbers",
    ...geminiTool,
    body: tool('{"type":"object","properties":{"n":{"type":"integer","enum":[1,2]}}}'),
    holds: ['"parametersJsonSchema":', "[1,2]"],
    losses: [],
  },
  {
    title: "An empty text of an enum is not sent to the field that refuses it",
    ...geminiTool,
    body: tool('{"type":"object","properties":{"n":{"type":"string","enum":["","a"]}}}'),
    lacks: ['"parameters":'],
    losses: [],
  },
  {
    title: "References with neighbours are written out",
    ...geminiTool,
    body: tool(
      '{"type":"object","properties":{"a":{"$ref":"#/$defs/A","description":"x"}},"$defs":{"A":{"type":"string"}}}',
    ),
    holds: ['"a":{"type":"STRING","description":"x"}'],
    lacks: ["$ref"],
    losses: [],
  },
  {
    title: "Gemini's objects are not told that they are closed, and know no $schema",
    ...geminiTool,
    body: tool(
      '{"$schema":"s","type":"object","properties":{"additionalProperties":{"type":"string"}},"additionalProperties":false}',
    ),
    holds: ['"properties":{"additionalProperties":{"type":"STRING"}}'],
    lacks: ["$schema", '"additionalProperties":false'],
    losses: [
      `? ${parameters}.$schema dropped`,
      `? ${parameters}.additionalProperties dropped`,
    ],
  },
  {
    title: "Null among types is nullable",
    ...geminiTool,
    body: tool('{"type":"object","properties":{"a":{"type":["string","null"]}}}'),
    holds: ['{"type":"STRING","nullable":true}'],
    losses: [],
  },
  {
    title: "The root of a tool's schema is an object",
    from: "openai-chat",
    to: "bedrock-converse",
    body: tool('{"type":"string"}'),
    holds: ['"json":{"type":"object","properties":{}}'],
    losses: [`${parameters} approximated`],
  },
  {
    title: "A tool's schema that is not strict passes as it stands",
    from: "openai-chat",
    to: "bedrock-converse",
    body: tool('{"type":"object","not":{},"properties":{"n":{"type":"number","minimum":1.0}}}'),
    holds: ['{"type":"object","not":{},"properties":{"n":{"type":"number","minimum":1.0}}}'],
    losses: [],
  },
  {
    title: "Strictness that the model does not know is reported",
    from: "openai-chat",
    to: "anthropic",
    model: "claude-3-5-haiku-20241022",
    body: tool('{"type":"object"}', ',"strict":true'),
    lacks: ["strict"],
    losses: ["body.tools[0].function.strict dropped"],
  },
  {
    title: "Strict calls are validated calls of Gemini's",
    ...geminiTool,
    body: tool('{"type":"object","properties":{"a":{"type":"string"}}}', ',"strict":true'),
    holds: ['"functionCallingConfig":{"mode":"VALIDATED"}'],
    losses: ["body.tools[0].function.strict approximated"],
  },
  {
    title: "A schema of an answer that cannot be strict says why",
    from: "gemini",
    to: "openai-chat",
    body: gemini(
      hi.gemini,
      ',"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":true}}',
    ),
    lacks: ["strict"],
    losses: [
      "request.generationConfig.responseJsonSchema.additionalProperties dropped",
    ],
  },
  {
    title: "A schema of an answer is the model's own field, or reported",
    from: "openai-chat",
    to: "anthropic",
    model: "claude-sonnet-4-20250514",
    body: chat(
      hi.chat,
      ',"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}',
    ),
    lacks: ["output_config", "tool"],
    losses: ["body.response_format dropped"],
  },
];

testRows(schemas);
