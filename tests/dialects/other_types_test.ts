/** Members of another type than they should have: the record is refused, and nothing goes in silence. */
import { chat, converse, converseCall, gemini, hi, testRows } from "./rows.ts";
import type { Row } from "./rows.ts";

const fromGemini = { from: "gemini", to: "openai-chat" } as const;
const fromConverse = { from: "bedrock-converse", to: "openai-chat" } as const;
const calling = (names: string) =>
  ',"tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]}],' +
  `"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":${names}}}`;

const rows: readonly Row[] = [
  {
    title: "A content without parts",
    ...fromGemini,
    body: gemini('[{"text":"Hi"}]'),
    losses: ["request.contents[0] refused"],
  },
  {
    title: "A message of blocks that only its own API knows",
    ...fromConverse,
    body: converse('[{"role":"user","content":[{"holo":{"a":1}}]}]'),
    losses: ["modelInput.messages[0].content[0] refused"],
  },
  {
    title: "A member of a message that its API does not define",
    ...fromConverse,
    body: converse('[{"role":"user","content":[{"text":"Hi"}],"mood":"calm"}]'),
    losses: ["modelInput.messages[0].mood dropped"],
  },
  {
    title: "Parts that are a text",
    ...fromGemini,
    body: gemini('[{"role":"user","parts":"Hi"}]'),
    losses: ["request.contents[0].parts refused"],
  },
  {
    title: "A content that is a text",
    ...fromGemini,
    body: gemini('["Hi"]'),
    losses: ["request.contents[0] refused"],
  },
  {
    title: "Parts of a system instruction that are an object",
    ...fromGemini,
    body: gemini(hi.gemini, ',"systemInstruction":{"parts":{"text":"Be brief"}}'),
    losses: ["request.systemInstruction.parts refused"],
  },
  {
    title: "Declarations of functions that are an object",
    ...fromGemini,
    body: gemini(hi.gemini, ',"tools":[{"function_declarations":{"name":"f"}}]'),
    losses: ["request.tools[0].function_declarations refused"],
  },
  {
    title: "Allowed functions that are a text",
    ...fromGemini,
    body: gemini(hi.gemini, calling('"f"')),
    losses: ["request.toolConfig.functionCallingConfig.allowedFunctionNames refused"],
  },
  {
    title: "Modalities that are a text",
    ...fromGemini,
    body: gemini(hi.gemini, ',"generationConfig":{"responseModalities":"AUDIO"}'),
    losses: ["request.generationConfig.responseModalities refused"],
  },
  {
    title: "A tool's result that is a text",
    ...fromConverse,
    body: converse(converseCall('"42"')),
    losses: ["modelInput.messages[2].content[0].toolResult.content refused"],
  },
  {
    title: "A schema of the answer that is an object, where it is a text",
    ...fromConverse,
    body: converse(
      hi.converse,
      ',"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":' +
        '{"schema":{"type":"object"}}}}}',
    ),
    losses: ["modelInput.outputConfig.textFormat.structure.jsonSchema.schema refused"],
  },
  {
    title: "Modalities of chat completions that are a text",
    from: "openai-chat",
    to: "gemini",
    body: chat(hi.chat, ',"modalities":"audio"'),
    losses: ["body.modalities refused"],
  },
];

testRows(rows);
