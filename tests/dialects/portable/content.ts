/** Features of what records say: system prompts, media, history. */
import type { Feature } from "./forms.ts";

const png = "iVBORw0KGgo=";
const pdf = "JVBERi0xLjQK";

export const contentFeatures: readonly Feature[] = [
  {
    name: "system prompt",
    in: {
      "bedrock-converse": { more: '"system":[{"text":"s"}]' },
      anthropic: { more: '"system":"s"' },
      "openai-chat": { before: '{"role":"system","content":"s"}' },
      "openai-responses": { more: '"instructions":"s"' },
      gemini: { more: '"systemInstruction":{"parts":[{"text":"s"}]}' },
    },
  },
  {
    name: "system prompt between messages",
    in: {
      "openai-chat": { turns: '{"role":"system","content":"s"},{"role":"user","content":"go"}' },
      "openai-responses": {
        turns: '{"role":"developer","content":"s"},{"role":"user","content":"go"}',
      },
    },
  },
  {
    name: "name of a message",
    in: { "openai-chat": { turns: '{"role":"user","name":"bob","content":"go"}' } },
  },
  {
    name: "image as base64",
    in: {
      "bedrock-converse": { part: `{"image":{"format":"png","source":{"bytes":"${png}"}}}` },
      anthropic: {
        part:
          `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${png}"}}`,
      },
      "openai-chat": {
        part: `{"type":"image_url","image_url":{"url":"data:image/png;base64,${png}"}}`,
      },
      "openai-responses": {
        part: `{"type":"input_image","image_url":"data:image/png;base64,${png}"}`,
      },
      gemini: { part: `{"inlineData":{"mimeType":"image/png","data":"${png}"}}` },
    },
  },
  {
    name: "image by URL",
    in: {
      anthropic: {
        part: '{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}',
      },
      "openai-chat": {
        part: '{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}',
      },
      "openai-responses": { part: '{"type":"input_image","image_url":"https://a.example/b.png"}' },
    },
  },
  {
    name: "image in S3",
    in: {
      "bedrock-converse": {
        part: '{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/k"}}}}',
      },
    },
  },
  {
    name: "detail of an image",
    in: {
      "openai-chat": {
        part:
          `{"type":"image_url","image_url":{"url":"data:image/png;base64,${png}","detail":"low"}}`,
      },
      "openai-responses": {
        part: `{"type":"input_image","image_url":"data:image/png;base64,${png}","detail":"low"}`,
      },
    },
  },
  {
    name: "PDF as base64",
    in: {
      "bedrock-converse": {
        part: `{"document":{"name":"q","format":"pdf","source":{"bytes":"${pdf}"}}}`,
      },
      anthropic: {
        part:
          `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"${pdf}"}}`,
      },
      "openai-chat": {
        part:
          `{"type":"file","file":{"filename":"q.pdf","file_data":"data:application/pdf;base64,${pdf}"}}`,
      },
      "openai-responses": {
        part:
          `{"type":"input_file","filename":"q.pdf","file_data":"data:application/pdf;base64,${pdf}"}`,
      },
      gemini: { part: `{"inlineData":{"mimeType":"application/pdf","data":"${pdf}"}}` },
    },
  },
  {
    name: "Word document",
    in: {
      "bedrock-converse": {
        part: '{"document":{"name":"q","format":"docx","source":{"bytes":"UEsDBA=="}}}',
      },
    },
  },
  {
    name: "sound",
    in: {
      "openai-chat": {
        part: '{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}',
      },
      gemini: { part: '{"inlineData":{"mimeType":"audio/wav","data":"UklGRg=="}}' },
    },
  },
  {
    name: "video",
    in: {
      "bedrock-converse": { part: '{"video":{"format":"mp4","source":{"bytes":"AAAA"}}}' },
      gemini: { part: '{"inlineData":{"mimeType":"video/mp4","data":"AAAA"}}' },
    },
  },
  {
    name: "reasoning of an earlier answer, signed",
    in: {
      "bedrock-converse": {
        turns: '{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"t",' +
          '"signature":"EqQB"}}},{"text":"a"}]},{"role":"user","content":[{"text":"go"}]}',
      },
      anthropic: {
        turns: '{"role":"assistant","content":[{"type":"thinking","thinking":"t",' +
          '"signature":"EqQB"},{"type":"text","text":"a"}]},{"role":"user","content":"go"}',
      },
    },
  },
  {
    name: "beginning of the answer (prefill)",
    in: {
      "bedrock-converse": { turns: '{"role":"assistant","content":[{"text":"{"}]}' },
      anthropic: { turns: '{"role":"assistant","content":"{"}' },
      gemini: { turns: '{"role":"model","parts":[{"text":"{"}]}' },
    },
  },
  {
    name: "cache point",
    in: {
      "bedrock-converse": { part: '{"cachePoint":{"type":"default"}}' },
      anthropic: {
        part: '{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}',
      },
    },
  },
];
