/** The form of a Converse request, after botocore 1.44's model of `bedrock-runtime`. */
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

/** Makes a form of which exactly one member must be there. */
const union = (members: Readonly<Record<string, Form>>): ObjectForm => ({
  is: "object",
  members,
  union: true,
});

const name: Form = { is: "text", pattern: /[a-zA-Z0-9_-]{1,64}/ };
const id: Form = { is: "text", pattern: /[a-zA-Z0-9_.:-]{1,64}/ };
const filled: Form = { is: "text", pattern: /[^]+/ };
const cachePoint = objectOf({ type: oneOf("default"), ttl: oneOf("5m", "1h") }, "type");
const s3Location = objectOf({ uri: filled, bucketOwner: text }, "uri");

const media = (formats: readonly string[]): ObjectForm =>
  objectOf(
    { format: oneOf(...formats), source: union({ bytes: text, s3Location }), error: anything },
    "format",
    "source",
  );

const image = media(["png", "jpeg", "gif", "webp"]);
const video = media(["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]);
const audio = media(["mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac"]);

const document = objectOf(
  {
    format: oneOf("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
    name: { is: "text", pattern: /(?:[A-Za-z0-9()[\]-]| (?! )){1,200}/ },
    source: union({
      bytes: text,
      s3Location,
      text,
      content: listOf(union({ text: filled })),
    }),
    context: text,
    citations: map,
  },
  "name",
  "source",
);

const resultContent = union({
  text,
  json: map,
  image,
  document,
  video,
  ...open("searchResult"),
});

const block = union({
  text,
  image,
  document,
  video,
  audio,
  toolUse: objectOf(
    { toolUseId: id, name, input: map, type: anything },
    "toolUseId",
    "name",
    "input",
  ),
  toolResult: objectOf(
    {
      toolUseId: id,
      content: listOf(resultContent),
      status: oneOf("success", "error"),
      type: anything,
    },
    "toolUseId",
    "content",
  ),
  reasoningContent: union({
    reasoningText: objectOf({ text, signature: text }, "text"),
    redactedContent: text,
  }),
  cachePoint,
  ...open("guardContent", "citationsContent", "searchResult"),
});

/** A request for Converse; a prompt's resource is not simulated, so messages must be there. */
export const converseForm: Form = objectOf(
  {
    messages: listOf(
      objectOf(
        { role: oneOf("user", "assistant", "system"), content: listOf(block, 1) },
        "role",
        "content",
      ),
      1,
    ),
    system: listOf(union({ text: filled, cachePoint, ...open("guardContent") })),
    inferenceConfig: objectOf({
      maxTokens: { is: "number", whole: true, min: 1 },
      temperature: { is: "number", min: 0, max: 1 },
      topP: { is: "number", min: 0, max: 1 },
      stopSequences: listOf(filled, 0, 2500),
    }),
    toolConfig: objectOf(
      {
        tools: listOf(
          union({
            toolSpec: objectOf(
              { name, description: filled, inputSchema: union({ json: map }), strict: boolean },
              "name",
              "inputSchema",
            ),
            cachePoint,
            ...open("systemTool"),
          }),
          1,
        ),
        toolChoice: union({ auto: map, any: map, tool: objectOf({ name }, "name") }),
      },
      "tools",
    ),
    outputConfig: objectOf({
      effort: { is: "text", pattern: /[^]{1,16}/ },
      textFormat: objectOf(
        {
          type: oneOf("json_schema"),
          structure: union({
            jsonSchema: objectOf({ schema: filled, name: text, description: text }, "schema"),
          }),
        },
        "type",
        "structure",
      ),
    }),
    additionalModelRequestFields: anything,
    additionalModelResponseFieldPaths: listOf({ is: "text", pattern: /\/[^]{0,255}/ }, 0, 10),
    requestMetadata: map,
    serviceTier: objectOf({ type: oneOf("priority", "default", "flex", "reserved") }, "type"),
    performanceConfig: objectOf({ latency: oneOf("standard", "optimized") }),
    ...open("guardrailConfig", "promptVariables"),
  },
  "messages",
);
