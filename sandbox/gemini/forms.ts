/** The proto messages of a `GenerateContentRequest`, member by member. */
import {
  anything,
  boolean,
  type Form,
  listOf,
  map,
  type ObjectForm,
  objectOf,
  open,
  text,
} from "../model/form.ts";

const number: Form = { is: "number" };
const whole: Form = { is: "number", whole: true };
/** int64, which proto3 JSON writes as a string. */
const long: Form = { is: "either", of: [text, whole] };

/** OpenAPI's subset: no `additionalProperties`, `$schema`, `const` and `$ref`. */
const schema: ObjectForm = objectOf({
  type: text,
  format: text,
  title: text,
  description: text,
  nullable: boolean,
  enum: listOf(text),
  items: { is: "later", form: () => schema },
  maxItems: long,
  minItems: long,
  // Any name is that of a property: the walk looks at each of the schemas.
  properties: map,
  required: listOf(text),
  minProperties: long,
  maxProperties: long,
  minLength: long,
  maxLength: long,
  pattern: text,
  minimum: number,
  maximum: number,
  anyOf: listOf({ is: "later", form: () => schema }),
  propertyOrdering: listOf(text),
  ...open("example", "default"),
});

/** A schema of OpenAPI's subset. */
export const schemaForm: Form = schema;

const blob = objectOf({ mimeType: text, data: text, displayName: text });
const functionCall = objectOf({ id: text, name: text, args: map });
const functionResponse = objectOf({
  id: text,
  name: text,
  response: map,
  willContinue: boolean,
  scheduling: text,
  parts: listOf(objectOf({ inlineData: blob, fileData: anything })),
});

const part = objectOf({
  text,
  inlineData: blob,
  fileData: objectOf({ mimeType: text, fileUri: text, displayName: text }),
  functionCall,
  functionResponse,
  thought: boolean,
  thoughtSignature: text,
  executableCode: map,
  codeExecutionResult: map,
  videoMetadata: map,
  mediaResolution: map,
  partMetadata: map,
  ...open("toolCall", "toolResponse", "mediaProcessing", "speechMetadata", "audioTranscription"),
});

const content = objectOf({ role: text, parts: listOf(part) });

const declaration = objectOf({
  name: text,
  description: text,
  parameters: schema,
  parametersJsonSchema: anything,
  response: schema,
  responseJsonSchema: anything,
  behavior: text,
});

const tool = objectOf({
  functionDeclarations: listOf(declaration),
  ...open("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps"),
  ...open("fileSearch", "computerUse", "mcpServers"),
});

const generationConfig = objectOf({
  candidateCount: whole,
  stopSequences: listOf(text),
  maxOutputTokens: whole,
  temperature: number,
  topP: number,
  topK: number,
  seed: whole,
  presencePenalty: number,
  frequencyPenalty: number,
  responseMimeType: text,
  responseSchema: schema,
  responseJsonSchema: anything,
  responseLogprobs: boolean,
  logprobs: whole,
  responseModalities: listOf(text),
  thinkingConfig: objectOf({
    includeThoughts: boolean,
    thinkingBudget: whole,
    thinkingLevel: text,
  }),
  ...open("mediaResolution", "speechConfig", "enableEnhancedCivicAnswers", "imageConfig"),
  ...open("responseFormat", "translationConfig", "audioTranscriptionConfig"),
});

/** Requests of a batch by their method; every member is optional, as in proto3. */
export const requestForms: Readonly<Record<"generateContent" | "embedContent", ObjectForm>> = {
  generateContent: objectOf({
    model: text,
    contents: listOf(content),
    systemInstruction: content,
    tools: listOf(tool),
    toolConfig: objectOf({
      functionCallingConfig: objectOf({
        mode: text,
        allowedFunctionNames: listOf(text),
        streamFunctionCallArguments: boolean,
      }),
      ...open("retrievalConfig", "includeServerSideToolInvocations"),
    }),
    safetySettings: listOf(objectOf({ category: text, threshold: text, method: text })),
    generationConfig,
    cachedContent: text,
    serviceTier: text,
    store: boolean,
  }),
  embedContent: objectOf({
    model: text,
    content,
    taskType: text,
    title: text,
    outputDimensionality: whole,
    embedContentConfig: map,
  }),
};
