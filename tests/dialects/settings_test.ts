/** Settings of requests, and reasoning: what went wrong with them elsewhere, a row each. */
import { chat, claude, converse, gemini, hi, testRows } from "./rows.ts";
import type { Row } from "./rows.ts";

const ways = {
  toClaude: { from: "bedrock-converse", to: "anthropic" },
  toConverse: { from: "anthropic", to: "bedrock-converse" },
} as const;
const both = ',"inferenceConfig":{"temperature":0.3,"topP":0.8}';

const sampling: readonly Row[] = [
  {
    title: "Temperature wins over top-p where one of the two is taken",
    ...ways.toClaude,
    body: converse(hi.converse, both),
    holds: ['"temperature":0.3'],
    lacks: ["top_p"],
    losses: ["modelInput.inferenceConfig.topP dropped"],
  },
  {
    title: "Models that refuse sampling are sent none",
    ...ways.toClaude,
    model: "claude-opus-4-7",
    body: converse(hi.converse, both),
    lacks: ["temperature", "top_p"],
    losses: [
      "modelInput.inferenceConfig.temperature dropped",
      "modelInput.inferenceConfig.topP dropped",
    ],
  },
  {
    title: "Models that reason refuse sampling and take another limit",
    from: "bedrock-converse",
    to: "openai-chat",
    model: "o3",
    body: converse(
      hi.converse,
      ',"inferenceConfig":{"maxTokens":9,"temperature":0.3,"stopSequences":["a"]}',
    ),
    holds: ['"max_completion_tokens":9'],
    lacks: ["temperature", "stop"],
    losses: [
      "modelInput.inferenceConfig.stopSequences[0] dropped",
      "modelInput.inferenceConfig.temperature dropped",
    ],
  },
  {
    title: "A temperature over 1 is cut",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(hi.chat, ',"temperature":1.4'),
    holds: ['"temperature":1}'],
    losses: ["body.temperature approximated"],
  },
  {
    title: "Stops of white space are left out for Claude",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat(hi.chat, ',"stop":["\\n","\\t ","a"]'),
    holds: ['"stopSequences":["a"]'],
    losses: ["body.stop[0] dropped", "body.stop[1] dropped"],
  },
  ...([
    ["anthropic", "claude-3-haiku-20240307", '"max_tokens":4096'],
    ["openai-chat", "gpt-4o-mini", '"max_completion_tokens":16384'],
    ["openai-chat", "ft:gpt-4.1-nano:team", '"max_completion_tokens":32768'],
    ["openai-responses", "o4-mini", '"max_output_tokens":100000'],
    ["gemini", "gemini-2.0-flash", '"maxOutputTokens":8192'],
  ] as const).map(([to, model, holds]) => ({
    title: "A limit of the answer that the model does not take is cut to its most",
    from: "bedrock-converse" as const,
    to,
    model,
    body: converse(hi.converse, ',"inferenceConfig":{"maxTokens":200000}'),
    holds: [holds],
    losses: ["? modelInput.inferenceConfig.maxTokens approximated"],
  })),
  ...(["gpt-oss-120b", "llama-9", "claude-opus-4-7"] as const).map((model) => ({
    title: "A limit that the model takes, or of a model that is not known, is passed on",
    from: "bedrock-converse" as const,
    to: model.startsWith("claude") ? "anthropic" as const : "openai-chat" as const,
    model,
    body: converse(hi.converse, ',"inferenceConfig":{"maxTokens":128000}'),
    holds: [":128000"],
    losses: [],
  })),
  ...([["gemini", '"stopSequences":["a","b","c","d","e"]'], [
    "openai-chat",
    '"stop":["a","b","c","d"]',
  ]] as const).map(([to, holds]) => ({
    title: "Stops over the target's number are reported",
    from: "bedrock-converse" as const,
    to,
    body: converse(hi.converse, ',"inferenceConfig":{"stopSequences":["a","b","c","d","e","f"]}'),
    holds: [holds],
    losses: [
      ...(to === "gemini" ? [] : ["modelInput.inferenceConfig.stopSequences[4] dropped"]),
      "modelInput.inferenceConfig.stopSequences[5] dropped",
    ],
  })),
  ...(["anthropic", "bedrock-converse", "gemini", "openai-responses"] as const).map((to) => ({
    title: "What stands at its default is no loss",
    from: "openai-chat" as const,
    to,
    body: chat(
      hi.chat,
      ',"temperature":1,"top_p":1,"n":1,"store":false,"parallel_tool_calls":true,"tool_choice":"auto","response_format":{"type":"text"},"presence_penalty":0,"frequency_penalty":0,"logprobs":false,"stop":[],"user":null',
    ),
    losses: [],
  })),
  {
    title: "Gemini's settings are under generationConfig",
    from: "openai-chat",
    to: "gemini",
    body: chat(hi.chat, ',"max_tokens":9,"temperature":0.5,"seed":7'),
    holds: ['"generationConfig":{"maxOutputTokens":9,"temperature":0.5,"seed":7}'],
    losses: [],
  },
  {
    title: "Limits that Responses refuses are raised",
    from: "openai-chat",
    to: "openai-responses",
    body: chat(hi.chat, ',"max_tokens":9,"stop":"a"'),
    holds: ['"max_output_tokens":16'],
    losses: ["body.max_tokens approximated", "body.stop dropped"],
  },
];

const thinking = ',"thinking":{"type":"enabled","budget_tokens":2048}';
const called =
  '[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"u","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"u","content":"r"}]}]';

const reasoning: readonly Row[] = [
  {
    title: "Beside thinking, sampling and forced calls are left out",
    ...ways.toConverse,
    body: claude(
      hi.chat,
      `${thinking},"temperature":0.5,"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}`,
    ),
    holds: ['"thinking":{"type":"enabled","budget_tokens":2048}'],
    lacks: ["temperature", "toolChoice"],
    losses: ["params.temperature dropped", "params.tool_choice approximated"],
  },
  {
    title: "Thinking is not asked for where the last call stands without it",
    ...ways.toConverse,
    body: claude(called, thinking),
    lacks: ["thinking"],
    losses: ["params.thinking dropped"],
  },
  {
    title: "Models without thinking are not asked for it",
    ...ways.toConverse,
    model: "anthropic.claude-3-5-haiku-20241022-v1:0",
    body: claude(hi.chat, thinking),
    lacks: ["thinking"],
    losses: ["params.thinking dropped"],
  },
  {
    title: "A budget is an effort where the model takes no budget",
    ...ways.toClaude,
    model: "claude-opus-4-7",
    body: converse(
      hi.converse,
      ',"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":16384}}',
    ),
    holds: ['"thinking":{"type":"adaptive"}', '"effort":"high"'],
    losses: ["modelInput.additionalModelRequestFields.thinking.budget_tokens approximated"],
  },
  {
    title: "A budget stays under the limit of the answer",
    from: "openai-chat",
    to: "anthropic",
    body: chat(hi.chat, ',"reasoning_effort":"high","max_completion_tokens":9000'),
    holds: ['"budget_tokens":8192'],
    losses: ["body.reasoning_effort approximated"],
  },
  ...([
    ["anthropic", "claude-haiku-4-5", 512, '"budget_tokens":1024'],
    ["gemini", "gemini-2.5-flash", 60_000, '"thinkingBudget":24576'],
    ["gemini", "gemini-2.5-flash-lite", 100, '"thinkingBudget":512'],
    ["gemini", "models/gemini-2.5-pro", 100, '"thinkingBudget":128'],
  ] as const).map(([to, model, budget, holds]) => ({
    title: `A budget of ${budget} that the model does not take is cut to one that it does`,
    from: "bedrock-converse" as const,
    to,
    model,
    body: converse(
      hi.converse,
      `,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":${budget}}}`,
    ),
    holds: [holds],
    losses: ["modelInput.additionalModelRequestFields.thinking.budget_tokens approximated"],
  })),
  ...(["anthropic", "bedrock-anthropic"] as const).map((to) => ({
    title: "A budget that the model does not take is cut, whichever API it was meant for",
    from: "gemini" as const,
    to,
    body: gemini(hi.gemini, ',"generationConfig":{"thinkingConfig":{"thinkingBudget":100}}'),
    holds: ['"budget_tokens":1024'],
    losses: ["request.generationConfig.thinkingConfig.thinkingBudget approximated"],
  })),
  {
    title: "The most effort is no more than the budget that the model takes",
    from: "openai-chat",
    to: "gemini",
    model: "gemini-2.5-flash",
    body: chat(hi.chat, ',"reasoning_effort":"xhigh"'),
    holds: ['"thinkingBudget":24576'],
    losses: ["body.reasoning_effort approximated"],
  },
  {
    title: "Thinking is left out where its least budget leaves no room for an answer",
    from: "gemini",
    to: "anthropic",
    body: gemini(
      hi.gemini,
      ',"generationConfig":{"maxOutputTokens":1024,"thinkingConfig":{"thinkingBudget":100}}',
    ),
    lacks: ["thinking"],
    losses: ["request.generationConfig.thinkingConfig dropped"],
  },
  {
    title: "A top-k of 0 is none",
    from: "bedrock-converse",
    to: "gemini",
    body: converse(hi.converse, ',"additionalModelRequestFields":{"top_k":0}'),
    lacks: ["topK"],
    losses: ["? modelInput.additionalModelRequestFields.top_k dropped"],
  },
  {
    title: "An effort for gpt-oss is one of its fields, and no other",
    from: "openai-chat",
    to: "bedrock-converse",
    model: "openai.gpt-oss-120b-1:0",
    body: chat(hi.chat, ',"reasoning_effort":"low"'),
    holds: ['"additionalModelRequestFields":{"reasoning_effort":"low"}'],
    lacks: ["outputConfig"],
    losses: [],
  },
  {
    title: "A level and a budget are never both sent",
    from: "openai-chat",
    to: "gemini",
    model: "gemini-3.5-flash",
    body: chat(hi.chat, ',"reasoning_effort":"max"'),
    holds: ['"thinkingLevel":"HIGH"'],
    lacks: ["thinkingBudget"],
    losses: ["body.reasoning_effort approximated"],
  },
  ...(["anthropic", "bedrock-converse"] as const).map((to) => ({
    title: "A prefill that the model does not continue gets a user message behind it",
    from: "openai-chat" as const,
    to,
    model: to === "anthropic" ? "claude-opus-4-6" : "anthropic.claude-opus-4-6-v1",
    body: chat('[{"role":"user","content":"Hi"},{"role":"assistant","content":"a "}]'),
    holds: ["a ", "(continue)"],
    losses: ["body.messages[1] approximated"],
  })),
  {
    title: "A prefill ends without white space",
    from: "openai-chat",
    to: "bedrock-converse",
    body: chat('[{"role":"user","content":"Hi"},{"role":"assistant","content":"a \\n"}]'),
    holds: ['[{"text":"a"}]'],
    losses: ["? body.messages[1].content approximated"],
  },
];

testRows([...sampling, ...reasoning]);
