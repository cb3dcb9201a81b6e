/** Messages and calls: what went wrong with them in other translators, a row each. */
import { chat, chatCall, claude, converse, converseCall, gemini, hi, testRows } from "./rows.ts";
import type { Row } from "./rows.ts";

const odd = String
  .raw`{"id":12345678901234567890,"x":1.0,"p":"a\/b","__proto__":1,"10":1,"2":2,"2":3,"s":"\ud800"}`;

const numbers: readonly Row[] = (["bedrock-converse", "anthropic", "gemini"] as const).map(
  (to) => ({
    title: "Arguments of a call pass byte for byte",
    from: "openai-chat" as const,
    to,
    body: chat(chatCall(odd)),
    holds: [odd],
    losses: [],
  }),
);

const parallel =
  '[{"role":"user","content":"Hi"},{"role":"assistant","content":"t","tool_calls":[' +
  '{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},' +
  '{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},' +
  '{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"a","content":"A"},' +
  '{"role":"user","content":"next"}]';
const twins = '[{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[' +
  '{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},' +
  '{"id":"a","type":"function","function":{"name":"g","arguments":"{}"}}]},' +
  '{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"a","content":"2"}]';

const calls: readonly Row[] = [
  {
    title: "Parallel results are one user message, first and in the order of the calls",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(parallel),
    holds: [
      '{"role":"user","content":[{"toolResult":{"toolUseId":"a"',
      '{"toolResult":{"toolUseId":"b"',
      '{"text":"next"}]}]',
    ],
    losses: [],
  },
  {
    title: "A content of results holds as many parts as there were calls, none between them",
    from: "openai-chat",
    to: "gemini",
    body: chat(parallel),
    holds: [
      '{"functionResponse":{"name":"f","response":{"output":"A"}}},{"functionResponse":{"name":"g","response":{"output":"B"}}},{"text":"next"}',
    ],
    losses: [],
  },
  {
    title: "Tools that were called and are not declared are declared with an open schema",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(parallel),
    holds: [
      '"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"f","inputSchema":{"json":{"type":"object","properties":{}}}}},{"toolSpec":{"name":"g"',
    ],
    losses: [],
  },
  {
    title: "Calls of one id are numbered, on both sides",
    from: "openai-chat",
    to: "anthropic",
    body: chat(twins),
    holds: ['"id":"a",', '"id":"a_2",', '"tool_use_id":"a",', '"tool_use_id":"a_2",'],
    losses: [],
  },
  {
    title: "Calls of one id keep it, and both their results",
    from: "openai-chat",
    to: "openai-responses",
    body: chat(twins),
    holds: ['"call_id":"a","output":"1"', '"call_id":"a","output":"2"'],
    losses: [],
  },
  {
    title: "A call without a result refuses its record",
    from: "openai-chat",
    to: "openai-responses",
    body: chat(twins.replace(/,\{"role":"tool","tool_call_id":"a","content":"2"\}/, "")),
    losses: ["body.messages[1].tool_calls[0] refused"],
  },
  {
    title: "A result without a call becomes text",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat('[{"role":"user","content":"Hi"},{"role":"tool","tool_call_id":"z","content":"B"}]'),
    holds: ['{"text":"B"}'],
    losses: ["body.messages[1] approximated"],
  },
  {
    title: "Arguments of several JSON texts are kept as text",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(chatCall("{}{}")),
    holds: ['"input":{"value":"{}{}"}'],
    losses: ["body.messages[1].tool_calls[0] approximated"],
  },
  {
    title: "Ids of calls that do not fit get a hash, on both sides",
    from: "openai-chat",
    to: "anthropic",
    body: chat(chatCall("{}", "ok", "call_1|fc_a")),
    holds: ['"id":"call_1_fc_a_5b28a721"', '"tool_use_id":"call_1_fc_a_5b28a721"'],
    losses: [],
  },
  {
    title: "A result that is a list is text, since json must be an object",
    from: "gemini",
    to: "bedrock-converse",
    body: gemini(
      '[{"role":"user","parts":[{"text":"Hi"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":[1,2.0]}}}]}]',
    ),
    holds: ['"content":[{"text":"[1,2.0]"}]'],
    losses: [],
  },
  {
    title: "An error without words holds some",
    from: "bedrock-converse",
    to: "anthropic",
    body: converse(converseCall("[]", ',"status":"error"')),
    holds: ['"content":[{"type":"text","text":"(empty)"}],"is_error":true'],
    losses: ["? modelInput.messages[2].content[0].toolResult.content approximated"],
  },
  {
    title: "The mark of an error is lost where the target has none",
    from: "bedrock-converse",
    to: "openai-chat",
    body: converse(converseCall('[{"text":"no"}]', ',"status":"error"')),
    holds: ['"content":"no"'],
    losses: ["modelInput.messages[2].content[0].toolResult.status dropped"],
  },
  ...['{"$ref":"#/x"}', String.raw`{"\u0024ref":"#/x"}`, '{"a":[{"$ref" :1}]}'].map((json) => ({
    title: "JSON with $ref is text, since it would be read as a reference to a part",
    from: "bedrock-converse" as const,
    to: "gemini" as const,
    body: converse(converseCall(`[{"json":${json}}]`)),
    holds: [`{"output":${JSON.stringify(json)}}`],
    losses: [],
  })),
  {
    title: "A signature stands in on the first call of a turn only",
    from: "openai-chat",
    to: "gemini",
    model: "gemini-3.5-flash",
    body: chat(parallel),
    holds: [
      '{"functionCall":{"name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g","args":{}}}',
    ],
    losses: [],
  },
];

const signed = '[{"role":"user","content":"Hi"},{"role":"assistant","content":[' +
  '{"type":"thinking","thinking":"t","signature":"S"},{"type":"redacted_thinking","data":"Emw"},' +
  '{"type":"tool_use","id":"u","name":"f","input":{}}]},' +
  '{"role":"user","content":[{"type":"tool_result","tool_use_id":"u","content":"r"}]}]';

const reasoning: readonly Row[] = [
  {
    title: "Redacted thinking stays in its place",
    from: "anthropic",
    to: "bedrock-converse",
    body: claude(signed),
    holds: [
      '{"reasoningText":{"text":"t","signature":"S"}}',
      '{"redactedContent":"RW13"}',
      '{"toolUse"',
    ],
    losses: [],
  },
  {
    title: "Signed thinking is for its own models",
    from: "anthropic",
    to: "openai-responses",
    body: claude(signed),
    lacks: ["reasoning", "Emw"],
    losses: [
      "? params.messages[1].content[0] dropped",
      "? params.messages[1].content[1] dropped",
    ],
  },
  {
    title: "Encrypted reasoning is not replayed elsewhere",
    from: "openai-responses",
    to: "anthropic",
    body:
      '{"model":"m","input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"g"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}',
    lacks: ["thinking"],
    losses: ["? body.input[1] dropped"],
  },
];

const texts: readonly Row[] = [
  {
    title: "Blank texts are left out, and a message without text says that it is empty",
    from: "bedrock-converse",
    to: "anthropic",
    body:
      '{"system":[{"text":" "}],"messages":[{"role":"user","content":[{"text":"\\n"},{"text":""}]}]}',
    holds: ['"content":[{"type":"text","text":"(empty)"}]'],
    lacks: ["system"],
    losses: [
      "? modelInput.messages[0].content approximated",
      "? modelInput.messages[0].content[0] dropped",
      "? modelInput.messages[0].content[1] dropped",
      "? modelInput.system[0] dropped",
    ],
  },
  ...(["gemini", "bedrock-converse"] as const).map((to) => ({
    title: "All system prompts survive, in order",
    from: "openai-chat" as const,
    to,
    body: chat(
      '[{"role":"system","content":"1"},{"role":"developer","content":[{"type":"text","text":"2"},{"type":"text","text":"3"}]},{"role":"user","content":"x"},{"role":"system","content":"4"},{"role":"user","content":"y"}]',
    ),
    holds: ['{"text":"1"},{"text":"2"},{"text":"3"},{"text":"4"}'],
    losses: ["? body.messages[4] approximated", "body.messages[3] approximated"],
  })),
  {
    title: "A system prompt keeps its place where the target can",
    from: "openai-chat",
    to: "openai-responses",
    body: chat('[{"role":"user","content":"x"},{"role":"system","content":"4"}]'),
    holds: ['"text":"x"', '"role":"system"', '"text":"4"'],
    losses: [],
  },
  {
    title: "Blocks of text stay blocks",
    from: "bedrock-converse",
    to: "openai-chat",
    body: converse('[{"role":"user","content":[{"text":"a"},{"text":"b"}]}]'),
    holds: ['[{"type":"text","text":"a"},{"type":"text","text":"b"}]'],
    losses: [],
  },
  ...(["anthropic", "gemini", "openai-responses", "bedrock-llama"] as const).map((to) => ({
    title: "Names that tell speakers apart are reported",
    from: "openai-chat" as const,
    to,
    body: chat(
      '[{"role":"user","name":"al","content":"a"},{"role":"assistant","content":"b"},{"role":"user","name":"bo","content":"c"}]',
    ),
    lacks: ["bo"],
    losses: ["body.messages[0].name dropped", "body.messages[2].name dropped"],
  })),
];

testRows([...numbers, ...calls, ...reasoning, ...texts]);
testRows([
  {
    title: "A tool of the provider's own that has to be called refuses its record",
    from: "gemini",
    to: "openai-chat",
    body: gemini(
      hi.gemini,
      ',"tools":[{"googleSearch":{}}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}',
    ),
    losses: ["request.toolConfig.functionCallingConfig refused"],
  },
  {
    title: "A tool of the provider's own that may be called is reported",
    from: "anthropic",
    to: "bedrock-converse",
    body: claude(hi.chat, ',"tools":[{"type":"web_search_20250305","name":"web_search"}]'),
    lacks: ["toolConfig"],
    losses: ["params.tools[0] dropped"],
  },
]);
testRows([{
  title: "A record that asks for several answers is refused where there is one",
  from: "openai-chat",
  to: "bedrock-converse",
  body: chat(hi.chat, ',"n":2'),
  losses: ["body.n refused"],
}]);
