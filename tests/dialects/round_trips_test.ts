/**
 * Random records: what both sides can hold comes back byte for byte, and of what was planted each
 * thing is either there or in the report.
 */
import assert from "node:assert/strict";
import fc from "../sdks/fast_check.ts";
import { sent } from "./records.ts";

const dialects = [
  "openai-chat",
  "openai-responses",
  "gemini",
  "anthropic",
  "bedrock-converse",
  "bedrock-anthropic",
] as const;

/** Objects that JSON.parse with JSON.stringify would change. */
const odd = [
  "{}",
  '{"n":1.0,"id":12345678901234567890}',
  '{"b":1,"10":2,"2":3,"b":2}',
  String.raw`{"__proto__":{"a":"\ud800\/"},"constructor":-0}`,
  '{ "spaced" : [ 1E2 , 0.10 ] }',
  String.raw`{"e":"\u00e9\"\\"}`,
  '{"$ref":"#/a","deep":[[[[{"x":null}]]]]}',
];
/** Texts as JSON, with escapes that are written otherwise than JSON.stringify would. */
const words = ['"a"', String.raw`"\u0041\/\ud800"`, '"é\u2028"', '"a\\nb "', '"<|x|>"', '"0"'];

const object = fc.constantFrom(...odd);
const text = fc.constantFrom(...words);

/** One exchange: a question, and either an answer or calls with their results and an answer. */
const exchange = fc.record({
  question: fc.array(text, { minLength: 1, maxLength: 3 }),
  answer: text,
  calls: fc.array(fc.record({ args: object, result: text }), { maxLength: 3 }),
});

const record = fc.record({
  system: fc.option(text, { nil: undefined }),
  exchanges: fc.array(exchange, { minLength: 1, maxLength: 3 }),
  last: text,
  choice: fc.constantFrom(
    undefined,
    '"required"',
    '{"type":"function","function":{"name":"f"}}',
  ),
  temperature: fc.constantFrom(undefined, "0.50", "0", "1"),
  limit: fc.constantFrom("16", "4096"),
});

type Planned = typeof record extends fc.Arbitrary<infer Plan> ? Plan : never;

/** The record in chat completions. */
function bodyOf({ system, exchanges, last, choice, temperature, limit }: Planned): string {
  let made = 0;
  const messages = exchanges.flatMap(({ question, answer, calls }) => {
    const ids = calls.map(() => `call_${++made}`);
    const asked = question.length === 1
      ? question[0]
      : `[${question.map((one) => `{"type":"text","text":${one}}`).join()}]`;
    const called = calls.map(({ args }, at) =>
      `{"id":"${ids[at]}","type":"function","function":{"name":"f","arguments":${
        JSON.stringify(args)
      }}}`
    );
    return [
      `{"role":"user","content":${asked}}`,
      ...(calls.length > 0 ? [`{"role":"assistant","content":null,"tool_calls":[${called}]}`] : []),
      ...calls.map(({ result }, at) =>
        `{"role":"tool","tool_call_id":"${ids[at]}","content":${result}}`
      ),
      `{"role":"assistant","content":${answer}}`,
    ];
  });
  const tool =
    '{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}}}';
  return `{"messages":[${[
    ...(system === undefined ? [] : [`{"role":"system","content":${system}}`]),
    ...messages,
    `{"role":"user","content":${last}}`,
  ]}],"tools":[${tool}]${choice === undefined ? "" : `,"tool_choice":${choice}`}${
    temperature === undefined ? "" : `,"temperature":${temperature}`
  },"max_completion_tokens":${limit}}`;
}

function carried(body: string, from: typeof dialects[number], to: typeof dialects[number]): string {
  const { body: written, refused, losses } = sent(body, { from, to });
  assert(written !== undefined, refused ?? "");
  assert.deepEqual(losses, [], `${from} to ${to}: ${body}`);
  return written;
}

for (const there of dialects) {
  Deno.test(`What ${there} and another dialect can hold comes back byte for byte`, () => {
    fc.assert(
      fc.property(record, fc.constantFrom(...dialects), (plan, here) => {
        const chat = bodyOf(plan);
        const first = here === "openai-chat"
          ? carried(carried(chat, "openai-chat", "anthropic"), "anthropic", here)
          : carried(chat, "openai-chat", here);
        if (here === there) return;
        const back = carried(carried(first, here, there), there, here);
        // Claude's answers say which stop sequence was met: Converse has to ask for it.
        assert.equal(
          back.replace(',"additionalModelResponseFieldPaths":["/stop_sequence"]', ""),
          first,
        );
        // Whatever stands in the body, the arguments do as they were written.
        const isText = here.startsWith("openai");
        for (const { args } of plan.exchanges.flatMap(({ calls }) => calls)) {
          assert(first.includes(isText ? JSON.stringify(args) : args));
        }
      }),
      { numRuns: 120 },
    );
  });
}

/** Things that can be asked in chat completions: where they stand, and which targets hold them. */
interface Feature {
  readonly json: string;
  readonly path: string;
  readonly kept: readonly string[];
  readonly hint?: true;
}
const features: readonly Feature[] = [
  { json: '"seed":7', path: "body.seed", kept: ["gemini"] },
  { json: '"presence_penalty":0.5', path: "body.presence_penalty", kept: ["gemini"] },
  { json: '"frequency_penalty":0.5', path: "body.frequency_penalty", kept: ["gemini"] },
  { json: '"logit_bias":{"1":2}', path: "body.logit_bias", kept: [] },
  { json: '"top_k":5', path: "body.top_k", kept: ["gemini", "anthropic", "bedrock-converse"] },
  { json: '"verbosity":"low"', path: "body.verbosity", kept: [] },
  { json: '"prediction":{"type":"content"}', path: "body.prediction", kept: [] },
  { json: '"metadata":{"a":"b"}', path: "body.metadata", kept: ["bedrock-converse"], hint: true },
  { json: '"service_tier":"flex"', path: "body.service_tier", kept: [], hint: true },
  {
    json: '"prompt_cache_key":"k"',
    path: "body.prompt_cache_key",
    kept: ["openai-responses"],
    hint: true,
  },
  { json: '"store":true', path: "body.store", kept: ["openai-responses"], hint: true },
  {
    json: '"user":"u1"',
    path: "body.user",
    kept: ["openai-responses", "anthropic"],
    hint: true,
  },
  { json: '"logprobs":true', path: "body.logprobs", kept: ["gemini", "openai-responses"] },
];
const targets = ["openai-responses", "gemini", "anthropic", "bedrock-converse"] as const;

Deno.test("Each planted setting is sent or in the report, with its path", () => {
  const counts = new Map<string, number>();
  fc.assert(
    fc.property(fc.subarray([...features]), fc.constantFrom(...targets), (planted, to) => {
      const body = `{"messages":[{"role":"user","content":"Hi"}]${
        planted.map(({ json }) => `,${json}`).join("")
      }}`;
      const { losses } = sent(body, { from: "openai-chat", to });
      const expected = planted.filter(({ kept }) => !kept.includes(to)).map(({ path, hint }) =>
        `${hint ? "? " : ""}${path} dropped`
      );
      assert.deepEqual(losses, expected.sort());
      for (const { path } of planted) counts.set(path, (counts.get(path) ?? 0) + 1);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual([...counts.keys()].sort(), features.map(({ path }) => path).sort());
});
