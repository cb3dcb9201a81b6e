/**
 * Translated requests and answers in the types of the official SDKs: the compiler checks them, and a test
 * sees to it that the translator writes these.
 */
import type Anthropic from "../sdks/anthropic.ts";
import type * as genai from "../sdks/genai.ts";
import type OpenAI from "../sdks/openai.ts";

/** Enums of a type as the texts that they stand for: JSON has no others. */
type Plain<Type> = Type extends string ? `${Type}`
  : Type extends object ? { [Name in keyof Type]: Plain<Type[Name]> }
  : Type;

interface GeminiRequest {
  contents: genai.Content[];
  systemInstruction?: genai.Content;
  tools?: genai.Tool[];
  toolConfig?: genai.ToolConfig;
  generationConfig?: genai.GenerationConfig;
}
type GeminiAnswer = Pick<
  genai.GenerateContentResponse,
  "candidates" | "promptFeedback" | "usageMetadata" | "modelVersion" | "responseId"
>;

/** Sampling goes with the version 2023-06-01 of the API; the types are those of the newest. */
type ClaudeRequest = Anthropic.Messages.MessageCreateParamsNonStreaming & {
  temperature?: number;
  top_p?: number;
  top_k?: number;
};
/** The SDK adds output_text itself; which programs had access is no fact of a translated answer. */
type ResponsesAnswer = Omit<OpenAI.Responses.Response, "output_text" | "access_programs">;

type Typed<Body> = Readonly<Record<string, Body>>;

// deno-fmt-ignore -- a line a request
const toChat: Typed<OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming> = {
  "openai-responses": {"model":"gpt-4.1-mini","messages":[{"role":"system","content":"i"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{},"required":[],"additionalProperties":false},"strict":true}}],"tool_choice":{"type":"function","function":{"name":"f"}},"max_completion_tokens":9,"temperature":0.5,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}},"safety_identifier":"u"},
  "gemini": {"model":"gpt-4.1-mini","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"call_1","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"max_completion_tokens":9,"stop":["a"],"response_format":{"type":"json_schema","json_schema":{"name":"response","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}}},
  "anthropic": {"model":"gpt-4.1-mini","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"text","text":"x"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"1","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"max_completion_tokens":9,"stop":["a"],"response_format":{"type":"json_schema","json_schema":{"name":"response","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}},"safety_identifier":"u"},
  "bedrock-converse": {"model":"gpt-4.1-mini","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"file","file":{"filename":"d.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"ok"},{"type":"text","text":"{\"a\":1}"}]}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"max_completion_tokens":2048,"temperature":0.5,"top_p":0.5,"stop":["a"],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}},
};
// deno-fmt-ignore -- a line a request
const toResponses: Typed<OpenAI.Responses.ResponseCreateParamsNonStreaming> = {
  "openai-chat": {"model":"gpt-4.1-mini","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"low"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}]},{"type":"message","role":"assistant","content":"c"},{"type":"function_call","call_id":"1","name":"f","arguments":"{}"},{"id":"msg_1","status":"completed","type":"message","role":"assistant","content":[{"type":"refusal","refusal":"r"}]},{"type":"function_call_output","call_id":"1","output":"ok"}],"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["a"],"additionalProperties":false},"strict":true}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}},"temperature":1.5,"top_logprobs":2,"include":["message.output_text.logprobs"],"store":false},
  "gemini": {"model":"gpt-4.1-mini","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}]},{"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"call_1","output":"ok"}],"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]},"strict":false}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"response","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}},"max_output_tokens":16,"reasoning":{"summary":"auto"},"store":false},
  "anthropic": {"model":"gpt-4.1-mini","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"},{"type":"input_text","text":"x"}]},{"type":"function_call","call_id":"1","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"1","output":"ok"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"response","strict":true,"schema":{"type":"object","properties":{},"required":[],"additionalProperties":false}}},"max_output_tokens":16,"safety_identifier":"u","store":false},
  "bedrock-converse": {"model":"gpt-4.1-mini","instructions":"s","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"},{"type":"input_file","filename":"d.pdf","file_data":"data:application/pdf;base64,JVBERi0="}]},{"type":"function_call","call_id":"1","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"1","output":"ok{\"a\":1}"}],"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"max_output_tokens":2048,"temperature":0.5,"top_p":0.5,"store":false},
};
// deno-fmt-ignore -- a line a request
const toGemini: Typed<Plain<GeminiRequest>> = {
  "openai-chat": {"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"t"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0="}}]},{"role":"model","parts":[{"text":"c"},{"functionCall":{"name":"f","args":{}}},{"text":"r"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"temperature":1.5,"stopSequences":["a"],"responseLogprobs":true,"logprobs":2,"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"},"thinkingConfig":{"includeThoughts":true,"thinkingBudget":2048}}},
  "openai-responses": {"systemInstruction":{"parts":[{"text":"i"}]},"contents":[{"role":"user","parts":[{"text":"t"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"maxOutputTokens":9,"temperature":0.5,"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"},"thinkingConfig":{"includeThoughts":true}}},
  "anthropic": {"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"t"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"text":"x"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"error":"ok"}}}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"maxOutputTokens":9,"stopSequences":["a"],"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"},"thinkingConfig":{"includeThoughts":true}}},
  "bedrock-converse": {"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"t"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0="}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"error":["ok",{"a":1}]}}}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"maxOutputTokens":2048,"temperature":0.5,"topP":0.5,"topK":5,"stopSequences":["a"],"responseMimeType":"application/json","responseJsonSchema":{},"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}},
};
// deno-fmt-ignore -- a line a request
const toClaude: Typed<ClaudeRequest> = {
  "openai-chat": {"model":"claude-haiku-4-5","max_tokens":64000,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"}]},{"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"r"},{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"ok"}]}]}],"temperature":1,"stop_sequences":["a"],"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false},"strict":true}],"tool_choice":{"type":"tool","name":"f"},"output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}},
  "openai-responses": {"model":"claude-haiku-4-5","max_tokens":9,"system":[{"type":"text","text":"i"}],"messages":[{"role":"user","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"ok"}]}]}],"temperature":0.5,"tools":[{"name":"f","input_schema":{"type":"object","additionalProperties":false},"strict":true}],"tool_choice":{"type":"tool","name":"f"},"output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}},"metadata":{"user_id":"u"}},
  "gemini": {"model":"claude-haiku-4-5","max_tokens":9,"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]},{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"ok"}]}]}],"stop_sequences":["a"],"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":["string","null"]}},"required":["a"]}}],"tool_choice":{"type":"tool","name":"f"},"output_config":{"format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}},
  "bedrock-converse": {"model":"claude-haiku-4-5","max_tokens":2048,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"t"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"d","context":"c","citations":{"enabled":true}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"h","signature":"S"},{"type":"redacted_thinking","data":"Emw"},{"type":"tool_use","id":"1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"ok"},{"type":"text","text":"{\"a\":1}"}],"is_error":true}]}],"stop_sequences":["a"],"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"thinking":{"type":"enabled","budget_tokens":1024},"output_config":{"format":{"type":"json_schema","schema":{"type":"string"}}}},
};
// deno-fmt-ignore -- a line an answer
const ofChat: Typed<OpenAI.Chat.Completions.ChatCompletion> = {
  "bedrock-converse": {"id":"chatcmpl-r0000001","object":"chat.completion","created":1767225600,"model":"anthropic.claude-haiku-4-5-20251001-v1:0","choices":[{"index":0,"message":{"role":"assistant","content":"a","refusal":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"n\":1}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":110,"completion_tokens":7,"total_tokens":117,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"completion_tokens_details":{"reasoning_tokens":0}}},
};
// deno-fmt-ignore -- a line an answer
const ofResponses: Typed<ResponsesAnswer> = {
  "bedrock-converse": {"id":"resp_r0000001","object":"response","created_at":1767225600,"status":"completed","background":false,"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"anthropic.claude-haiku-4-5-20251001-v1:0","output":[{"id":"rs_r0000001","type":"reasoning","summary":[{"type":"summary_text","text":"h"}]},{"id":"msg_r0000001_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]}]},{"id":"fc_r0000001_3","type":"function_call","status":"completed","call_id":"t1","name":"f","arguments":"{\"n\":1}"}],"parallel_tool_calls":true,"temperature":null,"tool_choice":"auto","tools":[],"top_p":null,"usage":{"input_tokens":110,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":117}},
  "openai-chat": {"id":"resp_r0000001","object":"response","created_at":5,"status":"completed","background":false,"error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"m","output":[{"id":"msg_r0000001","type":"message","status":"completed","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}],"parallel_tool_calls":true,"temperature":null,"tool_choice":"auto","tools":[],"top_p":null,"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":11}},
};
// deno-fmt-ignore -- a line an answer
const ofGemini: Typed<Plain<GeminiAnswer>> = {
  "bedrock-converse": {"candidates":[{"content":{"parts":[{"text":"h","thought":true},{"text":"a"},{"functionCall":{"id":"t1","name":"f","args":{"n":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":110,"cachedContentTokenCount":40,"candidatesTokenCount":7,"totalTokenCount":117},"modelVersion":"anthropic.claude-haiku-4-5-20251001-v1:0","responseId":"r0000001"},
  "openai-chat": {"candidates":[{"content":{"parts":[{"text":"No."}],"role":"model"},"finishReason":"SAFETY","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"totalTokenCount":11},"modelVersion":"m","responseId":"chatcmpl-1"},
};
// deno-fmt-ignore -- a line an answer
const ofClaude: Typed<Anthropic.Messages.Message> = {
  "bedrock-converse": {"id":"msg_r0000001","type":"message","role":"assistant","model":"anthropic.claude-haiku-4-5-20251001-v1:0","content":[{"type":"thinking","thinking":"h","signature":"S"},{"type":"redacted_thinking","data":"Emw"},{"type":"text","text":"a","citations":null},{"type":"tool_use","id":"t1","name":"f","input":{"n":1},"caller":{"type":"direct"}}],"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":40,"cache_creation_input_tokens":30,"cache_read_input_tokens":40,"cache_creation":null,"output_tokens":7,"output_tokens_details":null,"server_tool_use":null,"service_tier":null,"inference_geo":null,"speed":null}},
  "openai-chat": {"id":"msg_r0000001","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"No.","citations":null}],"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"No."},"container":null,"diagnostics":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":null,"output_tokens":2,"output_tokens_details":null,"server_tool_use":null,"service_tier":null,"inference_geo":null,"speed":null}},
};

/** Requests by their target and the dialect that they were written in. */
export const requests = {
  "openai-chat": toChat,
  "openai-responses": toResponses,
  "gemini": toGemini,
  "anthropic": toClaude,
} as const;

/** Answers by the dialect that they came back in and the one of the provider. */
export const answers = {
  "openai-chat": ofChat,
  "openai-responses": ofResponses,
  "gemini": ofGemini,
  "anthropic": ofClaude,
} as const;

/** The answers that were translated, by the dialect of the provider. */
export const originals: Typed<string> = {
  "bedrock-converse":
    '{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"h","signature":"S"}}},{"reasoningContent":{"redactedContent":"RW13"}},{"text":"a"},{"toolUse":{"toolUseId":"t1","name":"f","input":{"n":1}}}]}},"stopReason":"tool_use","usage":{"inputTokens":40,"outputTokens":7,"totalTokens":117,"cacheReadInputTokens":40,"cacheWriteInputTokens":30},"metrics":{"latencyMs":3}}',
  "openai-chat":
    '{"id":"chatcmpl-1","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"No."},"logprobs":null,"finish_reason":"content_filter"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}',
};
