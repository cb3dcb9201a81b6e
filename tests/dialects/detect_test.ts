/** Which dialect a line is of: the table of envelopes, and that of Bedrock's bodies. */
import assert from "node:assert/strict";
import { detectDialect, fitsFile } from "../../dialects/detect.ts";
import { parseJson } from "../../dialects/json.ts";

type Expected = string | RegExp;
type Row = readonly [line: string, expected: Expected, modelId?: string];

const body = '{"messages":[]}';
const url = (path: string) => `{"custom_id":"1","method":"POST","url":"${path}","body":{}}`;

const envelopes: readonly Row[] = [
  // A modelInput wins over every other member: Bedrock ignores what it does not know.
  [`{"modelInput":{"anthropic_version":"x"},"custom_id":"1","params":{}}`, "bedrock-anthropic"],
  ['{"modelInput":"{}"}', /is a text; it has to be an object/],
  ['{"modelInput":[]}', /not an object/],
  [`{"custom_id":"1","params":${body}}`, "anthropic"],
  [`{"params":${body}}`, "anthropic"],
  [`{"custom_id":null,"params":${body}}`, "anthropic"],
  [`{"custom_id":"","params":${body}}`, "anthropic"],
  ['{"custom_id":"1","params":{"contents":[]}}', /params holds contents/],
  ['{"custom_id":"1","params":{"input":"x"}}', /params holds input/],
  [url("/v1/chat/completions"), "openai-chat"],
  [url("/v1/chat/completions/?a=1"), "openai-chat"],
  [url("https://api.openai.com/v1/responses"), "openai-responses"],
  [url("/v1/embeddings"), "openai-embeddings"],
  [url("/v1/completions"), "native: /v1/completions"],
  [url("/v1/moderations"), "native: /v1/moderations"],
  [`{"custom_id":"1","body":${body}}`, "openai-chat"],
  ['{"custom_id":"1","body":{"input":"x"}}', /no url, and body no messages/],
  ['{"custom_id":"1","url":"/v1/responses","body":"x"}', /body is not an object/],
  ['{"key":"1","request":{"contents":[]}}', "gemini"],
  ['{"metadata":{"key":"1"},"request":{"contents":[]}}', "gemini"],
  ['{"request":{"content":{"parts":[]}}}', /Gemini's embeddings/],
  ['{"request":{}}', /holds no contents/],
  ['{"recordId":"1","modelOutput":{}}', /a line of results/],
  ['{"custom_id":"1","response":{}}', /a line of results/],
  ['{"custom_id":"1","result":{}}', /a line of results/],
  ['{"recordId":"1","error":{"errorCode":400}}', /a line of results/],
  ['{"messages":[]}', /without its envelope: put it into \{"recordId"/],
  ['{"contents":[]}', /without its envelope: put it into \{"key"/],
  ['{"inputText":"x"}', /without its envelope/],
  ["{}", /none of modelInput, body, params and request/],
  ["[]", /not a JSON object/],
  ['"x"', /not a JSON object/],
];

const input = (inner: string) => `{"recordId":"1","modelInput":${inner}}`;
const text = '"messages":[{"role":"user","content":"Hi"}]';
const typed = '"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]';
const bare = '"messages":[{"role":"user","content":[{"text":"Hi"}]}]';

const bodies: readonly Row[] = [
  [input(`{"anthropic_version":"bedrock-2023-05-31",${bare}}`), "bedrock-anthropic"],
  [input(`{"schemaVersion":"messages-v1",${bare}}`), "bedrock-nova"],
  [input('{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{}}'), /Nova's embeddings/],
  [input('{"inputText":"x"}'), "bedrock-titan-embed"],
  [input('{"inputText":"x","dimensions":256}'), "bedrock-titan-embed"],
  [input('{"inputText":"x","textGenerationConfig":{}}'), /Titan's text models/],
  [input('{"texts":["x"],"input_type":"search_query"}'), /Cohere/],
  [input('{"prompt":"x","max_gen_len":5}'), "bedrock-llama"],
  [input('{"prompt":"<|begin_of_text|>x"}'), "bedrock-llama"],
  [input('{"prompt":"x"}'), "bedrock-llama", "meta.llama3-1-8b-instruct-v1:0"],
  [input('{"prompt":"Human: x","max_tokens_to_sample":5}'), /Claude's old completions/],
  [input('{"prompt":"x"}'), /a form that is not known/],
  [input('{"contents":[]}'), /Gemini in Bedrock's envelope/],
  [input(`{${bare}}`), "bedrock-converse"],
  [input(`{${bare},"inferenceConfig":{"maxTokens":5}}`), "bedrock-converse"],
  [input(`{${text},"additionalModelRequestFields":{}}`), "bedrock-converse"],
  [input(`{${bare},"inferenceConfig":{"topK":5}}`), "bedrock-nova"],
  [input(`{${bare},"inferenceConfig":{"max_new_tokens":5}}`), "bedrock-nova"],
  [
    input(
      '{"messages":[{"role":"user","content":[{"text":"a","cachePoint":{"type":"default"}}]}]}',
    ),
    "bedrock-nova",
  ],
  [input(`{${text},"system":"s"}`), "bedrock-anthropic"],
  [input(`{${typed},"stop_sequences":["a"]}`), "bedrock-anthropic"],
  [
    input('{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1"}]}]}'),
    "bedrock-anthropic",
  ],
  [input(`{${text},"tools":[{"name":"f","input_schema":{}}]}`), "bedrock-anthropic"],
  [input('{"messages":[{"role":"system","content":"s"}]}'), "bedrock-openai"],
  [input(`{${text},"max_completion_tokens":5}`), "bedrock-openai"],
  [input(`{${text},"response_format":{}}`), "bedrock-openai"],
  [
    input('{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}'),
    "bedrock-openai",
  ],
  // Texts only: the model decides.
  [input(`{${typed}}`), "bedrock-anthropic", "us.anthropic.claude-3-5-haiku-20241022-v1:0"],
  [input(`{${text}}`), "bedrock-anthropic", "anthropic.claude-opus-5"],
  [input(`{${text}}`), "bedrock-openai", "openai.gpt-oss-20b-1:0"],
  [input("{}"), /no known model/],
  // Null is absence.
  [input(`{"anthropic_version":null,${bare}}`), "bedrock-converse"],
];

function seen(line: string, modelId?: string): string {
  const detected = detectDialect(parseJson(line), modelId);
  if ("dialect" in detected) return detected.dialect;
  return "native" in detected ? `native: ${detected.form}` : `unknown: ${detected.unknown}`;
}

for (const [line, expected, modelId] of [...envelopes, ...bodies]) {
  const shown = line.length > 90 ? `${line.slice(0, 90)}…` : line;
  Deno.test(`${shown} is ${expected}${modelId === undefined ? "" : ` with ${modelId}`}`, () => {
    const found = seen(line, modelId);
    if (typeof expected === "string") assert.equal(found, expected);
    else assert.match(found, expected);
  });
}

Deno.test("A record that leaves its form open fits a file of either, and no other", () => {
  const converse = detectDialect(parseJson(input(`{${bare}}`)));
  assert(fitsFile(converse, "bedrock-converse") && fitsFile(converse, "bedrock-nova"));
  assert(!fitsFile(converse, "bedrock-anthropic") && !fitsFile(converse, "openai-chat"));
  const open = detectDialect(parseJson(input(`{${text}}`)));
  assert(fitsFile(open, "bedrock-anthropic") && fitsFile(open, "bedrock-openai"));
  assert(!fitsFile(detectDialect(parseJson("{}")), "gemini"));
});

for (const input of ["{}", '{"messages":[]}', '{"messages":"x"}', '{"messages":[null]}']) {
  Deno.test(`A record whose form leaves its dialect open fits any file of Bedrock's: ${input}`, () => {
    const detected = detectDialect(parseJson(`{"recordId":"a","modelInput":${input}}`));
    assert(fitsFile(detected, "bedrock-converse"));
    assert(fitsFile(detected, "bedrock-anthropic"));
    assert(!fitsFile(detected, "gemini"));
  });
}
