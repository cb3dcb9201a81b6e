/** Features of tools, their calls and results. */
import type { Feature } from "./forms.ts";

const loose = '{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}';
const converseTool = `{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":${loose}}}}`;
const claudeTool = `{"name":"f","description":"d","input_schema":${loose}}`;
const chatTool =
  `{"type":"function","function":{"name":"f","description":"d","parameters":${loose}}}`;
const responsesTool = `{"type":"function","name":"f","description":"d","parameters":${loose}}`;
const geminiTool =
  '{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT",' +
  '"properties":{"n":{"type":"INTEGER","minimum":1}}}}]}';

export const toolFeatures: readonly Feature[] = [
  {
    name: "tool",
    in: {
      "bedrock-converse": { more: `"toolConfig":{"tools":[${converseTool}]}` },
      anthropic: { more: `"tools":[${claudeTool}]` },
      "openai-chat": { more: `"tools":[${chatTool}]` },
      "openai-responses": { more: `"tools":[${responsesTool}]` },
      gemini: { more: `"tools":[${geminiTool}]` },
    },
  },
  {
    name: "a tool that has to be called",
    in: {
      "bedrock-converse": {
        more: `"toolConfig":{"tools":[${converseTool}],"toolChoice":{"any":{}}}`,
      },
      anthropic: { more: `"tools":[${claudeTool}],"tool_choice":{"type":"any"}` },
      "openai-chat": { more: `"tools":[${chatTool}],"tool_choice":"required"` },
      "openai-responses": { more: `"tools":[${responsesTool}],"tool_choice":"required"` },
      gemini: {
        more: `"tools":[${geminiTool}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`,
      },
    },
  },
  {
    name: "no parallel calls",
    in: {
      anthropic: {
        more:
          `"tools":[${claudeTool}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`,
      },
      "openai-chat": { more: `"tools":[${chatTool}],"parallel_tool_calls":false` },
      "openai-responses": { more: `"tools":[${responsesTool}],"parallel_tool_calls":false` },
    },
  },
  {
    name: "a tool of the provider, such as web search",
    in: {
      anthropic: { more: '"tools":[{"type":"web_search_20250305","name":"web_search"}]' },
      "openai-responses": { more: '"tools":[{"type":"web_search"}]' },
      gemini: { more: '"tools":[{"googleSearch":{}}]' },
    },
  },
  {
    name: "a call and its result",
    in: {
      "bedrock-converse": {
        more: `"toolConfig":{"tools":[${converseTool}]}`,
        turns: '{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f",' +
          '"input":{"n":1}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c1",' +
          '"content":[{"text":"2"}]}}]}',
      },
      anthropic: {
        more: `"tools":[${claudeTool}]`,
        turns: '{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f",' +
          '"input":{"n":1}}]},{"role":"user","content":[{"type":"tool_result",' +
          '"tool_use_id":"c1","content":"2"}]}',
      },
      "openai-chat": {
        more: `"tools":[${chatTool}]`,
        turns: '{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",' +
          '"function":{"name":"f","arguments":"{\\"n\\":1}"}}]},' +
          '{"role":"tool","tool_call_id":"c1","content":"2"}',
      },
      "openai-responses": {
        more: `"tools":[${responsesTool}]`,
        turns: '{"type":"function_call","call_id":"c1","name":"f","arguments":"{\\"n\\":1}"},' +
          '{"type":"function_call_output","call_id":"c1","output":"2"}',
      },
      gemini: {
        more: `"tools":[${geminiTool}]`,
        turns: '{"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":1}}}]},' +
          '{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":2}}}]}',
      },
    },
  },
  {
    name: "a result that is an error",
    in: {
      "bedrock-converse": {
        more: `"toolConfig":{"tools":[${converseTool}]}`,
        turns: '{"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f",' +
          '"input":{"n":1}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"c1",' +
          '"status":"error","content":[{"text":"2"}]}}]}',
      },
      anthropic: {
        more: `"tools":[${claudeTool}]`,
        turns: '{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f",' +
          '"input":{"n":1}}]},{"role":"user","content":[{"type":"tool_result",' +
          '"tool_use_id":"c1","is_error":true,"content":"2"}]}',
      },
      gemini: {
        more: `"tools":[${geminiTool}]`,
        turns: '{"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":1}}}]},' +
          '{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"error":"2"}}}]}',
      },
    },
  },
];
