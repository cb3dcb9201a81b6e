import { equal, match } from "node:assert/strict";
import { contentsFault } from "../../../sandbox/gemini/fault.ts";
import { requestMisfit } from "../../../sandbox/gemini/request_misfit.ts";
import type { JsonObject } from "../../../sandbox/json.ts";

const user = (...parts: JsonObject[]): JsonObject => ({ role: "user", parts });
const model = (...parts: JsonObject[]): JsonObject => ({ role: "model", parts });
const hello = user({ text: "Hello." });
const call = { functionCall: { name: "add", args: {} } };
const response = { functionResponse: { name: "add", response: { output: 1 } } };
const functions = (parameters: JsonObject, name = "add") => ({
  tools: [{ functionDeclarations: [{ name, parameters }] }],
});
const object = (properties: JsonObject, more = {}) => ({ type: "OBJECT", properties, ...more });
const format = (responseSchema: JsonObject) => ({
  generationConfig: { responseMimeType: "application/json", responseSchema },
});

/** Members that the proto does not know: they fail the whole batch. */
const unknown: Readonly<Record<string, readonly [JsonObject, string]>> = {
  "a closed object": [
    functions(object({}, { additionalProperties: false })),
    "additionalProperties",
  ],
  "a dialect of JSON Schema": [functions({ $schema: "x", type: "OBJECT" }), "$schema"],
  "a constant far down": [
    format(object({ a: { type: "ARRAY", items: object({ b: { const: 1 } }) } })),
    "const",
  ],
  "a reference": [format(object({ a: { anyOf: [{ $ref: "#/x" }] } })), "$ref"],
  "a setting beside the configuration": [{ thinking_config: {} }, "thinking_config"],
  "a setting of another API": [{ generationConfig: { max_tokens: 5 } }, "max_tokens"],
  "a part of another API": [{ contents: [user({ type: "text", text: "x" })] }, "type"],
  "enum of numbers": [format({ type: "INTEGER", enum: [1] }), "0"],
  "a list of types": [format({ type: ["STRING", "NULL"] }), "type"],
};

for (const [name, [changes, last]] of Object.entries(unknown)) {
  Deno.test(`Gemini's proto does not know ${name}`, () => {
    const found = requestMisfit({ contents: [hello], ...changes }, "generateContent");
    equal(`${found?.path.at(-1)}`, last);
  });
}

/** Why Gemini refuses a record; every row is one mistake. */
const refused: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "a role": [{ contents: [{ role: "assistant", parts: [{ text: "x" }] }] }, /valid role/],
  "an empty text": [{ contents: [user({ text: "" })] }, /text part is empty/],
  "a part of two kinds": [{ contents: [user({ text: "x", inlineData: {} })] }, /oneof/],
  "a type of data": [
    { contents: [user({ inlineData: { mimeType: "image/bmp", data: "Qk0=" } })] },
    /Unsupported MIME type: image\/bmp/,
  ],
  "fewer responses than calls": [
    { contents: [hello, model(call, call), user(response)] },
    /number of function response parts/,
  ],
  "a response without a call": [
    { contents: [hello, model({ text: "x" }), user(response)] },
    /after/,
  ],
  "a call first": [{ contents: [model(call), user(response)] }, /function call turn comes/],
  "six stop sequences": [
    { generationConfig: { stopSequences: ["a", "b", "c", "d", "e", "f"] } },
    /at most 5/,
  ],
  "too many candidates": [{ generationConfig: { candidateCount: 9 } }, /candidateCount/],
  "a schema of plain text": [
    { generationConfig: { responseSchema: { type: "STRING" } } },
    /only supported with/,
  ],
  "budget and level": [
    { generationConfig: { thinkingConfig: { thinking_budget: 1, thinkingLevel: "LOW" } } },
    /only set one/,
  ],
  "a level at an older model": [
    { generationConfig: { thinkingConfig: { thinkingLevel: "LOW" } } },
    /level is not supported/,
  ],
  "a function's name": [
    functions(object({ a: { type: "STRING" } }), "1a"),
    /Invalid function name/,
  ],
  "a function without arguments": [functions(object({})), /non-empty for OBJECT/],
  "a function of an open object": [functions({ type: "OBJECT" }), /non-empty for OBJECT/],
  "a name that is required only": [
    format(object({ a: { type: "STRING" } }, { required: ["b"] })),
    /'b' is not defined/,
  ],
  "an empty name in an enum": [format({ type: "STRING", enum: [""] }), /cannot be empty/],
  "a list without items": [format({ type: "ARRAY" }), /items/],
  "a choice with neighbours": [
    format({ type: "STRING", anyOf: [{ type: "STRING" }] }),
    /only field set/,
  ],
  "a format": [format({ type: "STRING", format: "uuid" }), /schema.format/],
  "a choice without functions": [
    { toolConfig: { functionCallingConfig: { mode: "ANY" } } },
    /no function_declarations/,
  ],
  "a choice of a function that is not there": [
    {
      ...functions(object({ a: { type: "STRING" } })),
      toolConfig: { functionCallingConfig: { mode: "ANY", allowed_function_names: ["sub"] } },
    },
    /holds sub/,
  ],
};

for (const [name, [changes, words]] of Object.entries(refused)) {
  Deno.test(`Gemini refuses ${name}`, () => {
    const request = { contents: [hello], ...changes };
    equal(requestMisfit(request, "generateContent"), undefined);
    match(contentsFault(request, "models/gemini-2.5-flash") ?? "nothing", words);
  });
}

Deno.test("Newer models want a signature on the first call, and no penalties", () => {
  const contents = [hello, model(call, call), user(response, response)];
  equal(contentsFault({ contents }, "models/gemini-2.5-pro"), undefined);
  match(contentsFault({ contents }, "models/gemini-3.5-flash") ?? "", /thought_signature/);
  const signed = [hello, model({ ...call, thoughtSignature: "cw==" }, call), contents[2] ?? hello];
  equal(contentsFault({ contents: signed }, "models/gemini-3.5-flash"), undefined);
  const generationConfig = { presencePenalty: 1 };
  match(contentsFault({ contents: [hello], generationConfig }, "models/gemini-3-pro") ?? "", /Pen/);
});

Deno.test("Gemini takes what is right, in either spelling", () => {
  const request = {
    systemInstruction: { parts: [{ text: "x" }] },
    contents: [hello],
    tools: [{
      function_declarations: [{
        name: "a.b",
        parameters: object({ const: { type: "string", enum: ["x"], nullable: true } }),
      }],
    }],
    generationConfig: {
      stopSequences: ["x"],
      thinkingConfig: { include_thoughts: true, thinking_budget: 0 },
      responseMimeType: "application/json",
      responseSchema: {
        type: "ARRAY",
        min_items: "1",
        items: { any_of: [{ type: "STRING" }], nullable: true },
      },
    },
  };
  equal(requestMisfit(request, "generateContent"), undefined);
  equal(contentsFault(request, "models/gemini-2.5-flash"), undefined);
});

Deno.test("Gemini refuses a budget of thinking that its model does not take", () => {
  const fault = (thinkingBudget: number, model: string) =>
    contentsFault({
      contents: [hello],
      generationConfig: { thinkingConfig: { thinkingBudget } },
    }, `models/${model}`);
  const taken = [[0, "gemini-2.5-flash"], [-1, "gemini-2.5-pro"], [512, "gemini-2.5-flash-lite"]];
  for (const [budget, model] of taken) equal(fault(Number(budget), `${model}`), undefined);
  match(fault(0, "gemini-2.5-pro") ?? "", /budget 0 is invalid. .* between 128 and 32768/);
  match(fault(511, "gemini-2.5-flash-lite") ?? "", /between 512 and 24576/);
  match(fault(24_577, "gemini-2.5-flash") ?? "", /between 1 and 24576/);
});
