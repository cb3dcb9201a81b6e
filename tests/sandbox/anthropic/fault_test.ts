import { equal, match } from "node:assert/strict";
import { bedrockFault, fault } from "../../../sandbox/anthropic/fault.ts";
import type { JsonObject } from "../../../sandbox/json.ts";

const user = (content: JsonObject[] | string): JsonObject => ({ role: "user", content });
const assistant = (...content: JsonObject[]): JsonObject => ({ role: "assistant", content });
const call = (id = "toolu_1") => ({ type: "tool_use", id, name: "add", input: {} });
const result = (id = "toolu_1", more = {}) => ({ type: "tool_result", tool_use_id: id, ...more });
const tools = [{ name: "add", input_schema: { type: "object" } }];
const image = (media_type: string, data: string) =>
  user([{ type: "image", source: { type: "base64", media_type, data } }]);
const png = "iVBORw0KGgo=";
const format = (schema: JsonObject) => ({
  output_config: { format: { type: "json_schema", schema } },
});
const closed = { type: "object", properties: {}, additionalProperties: false };

/** Why Claude refuses parameters; every row is one mistake. */
const refused: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "an unknown member": [{ seed: 1 }, /^seed: Extra inputs are not permitted/],
  "an unknown member of a message": [
    { messages: [{ ...user("hi"), name: "x" }] },
    /messages.0.name: Extra/,
  ],
  "no limit": [{ max_tokens: null }, /max_tokens: Field required/],
  "a limit that the model does not reach": [{ max_tokens: 65_000 }, /maximum allowed/],
  "a role": [{ messages: [{ role: "tool", content: "x" }] }, /messages.0.role/],
  "an answer first": [{ messages: [assistant({ type: "text", text: "x" })] }, /first message/],
  "a blank text": [{ messages: [user([{ type: "text", text: " \n" }])] }, /non-whitespace/],
  "a blank text that is the whole": [{ messages: [user(" ")] }, /non-whitespace/],
  "no content": [{ messages: [user([])] }, /non-empty content/],
  "a blank stop sequence": [{ stop_sequences: ["x", "\n"] }, /stop_sequences.1/],
  "a label that is not the image's": [{ messages: [image("image/jpeg", png)] }, /image\/png/],
  "an image that is none": [{ messages: [image("image/png", "aGVsbG8=")] }, /Could not process/],
  "another type of image": [{ messages: [image("image/bmp", png)] }, /media_type/],
  "a call without a result": [
    { tools, messages: [user("x"), assistant(call()), user("y")] },
    /without `tool_result` blocks immediately after: toolu_1/,
  ],
  "a result without a call": [{ tools, messages: [user([result()])] }, /unexpected `tool_use_id`/],
  "results behind text": [
    {
      tools,
      messages: [user("x"), assistant(call()), user([{ type: "text", text: "y" }, result()])],
    },
    /must come before/,
  ],
  "one id for two calls": [
    { tools, messages: [user("x"), assistant(call(), call()), user([result()])] },
    /must be unique/,
  ],
  "characters of an id": [
    { tools, messages: [user("x"), assistant(call("a|b")), user([result("a|b")])] },
    /messages.1.content.0.id/,
  ],
  "an error without content": [
    {
      tools,
      messages: [user("x"), assistant(call()), user([result("toolu_1", { is_error: true })])],
    },
    /cannot be empty/,
  ],
  "calls without tools": [
    { messages: [user("x"), assistant(call()), user([result()])] },
    /must define tools/,
  ],
  "a tool's name": [{ tools: [{ ...tools[0], name: "a b" }] }, /tools.0.name/],
  "a tool whose schema is not an object": [
    { tools: [{ name: "a", input_schema: { type: "string" } }] },
    /input_schema.type/,
  ],
  "a choice of a tool that is not there": [
    { tools, tool_choice: { type: "tool", name: "sub" } },
    /not found/,
  ],
  "both of temperature and top_p": [{ temperature: 0.5, top_p: 0.5 }, /cannot both/],
  "a temperature over 1": [{ temperature: 1.5 }, /temperature: Input should be less than/],
  "sampling at a newer model": [{ model: "claude-opus-4-7", top_k: 5 }, /`top_k` is not/],
  "a budget at a newer model": [
    { model: "claude-sonnet-5", thinking: { type: "enabled", budget_tokens: 1024 } },
    /adaptive/,
  ],
  "a small budget": [
    { thinking: { type: "enabled", budget_tokens: 10 } },
    /budget_tokens: Input should be greater than or equal to 1024/,
  ],
  "a budget over the limit": [
    { thinking: { type: "enabled", budget_tokens: 8000 } },
    /must be greater/,
  ],
  "a forced tool while it thinks": [
    { tools, tool_choice: { type: "any" }, thinking: { type: "enabled", budget_tokens: 1024 } },
    /forces tool use/,
  ],
  "prefill at a newer model": [
    { model: "claude-opus-4-6", messages: [user("x"), assistant({ type: "text", text: "y" })] },
    /prefill/,
  ],
  "white space at the end of prefill": [
    { messages: [user("x"), assistant({ type: "text", text: "y " })] },
    /trailing whitespace/,
  ],
  "unsigned thinking": [
    { messages: [user("x"), assistant({ type: "thinking", thinking: "y" }), user("z")] },
    /signature: Field required/,
  ],
  "an open object in a format": [format({ type: "object" }), /additionalProperties/],
  "a limit in a format": [
    format({ ...closed, properties: { a: { type: "integer", minimum: 1 } } }),
    /'minimum' is not supported/,
  ],
};

const plain: JsonObject = {
  model: "claude-haiku-4-5",
  max_tokens: 5000,
  messages: [user("Hello.")],
};

for (const [name, [changes, words]] of Object.entries(refused)) {
  Deno.test(`Claude refuses ${name}`, () => {
    match(fault({ ...plain, ...changes }, "2023-06-01") ?? "nothing", words);
  });
}

Deno.test("Claude takes what is right", () => {
  const messages = [
    user([{ type: "text", text: "x" }, ...image("image/png", png).content as JsonObject[]]),
    assistant({ type: "thinking", thinking: "y", signature: "s" }, call(), call("toolu_2")),
    user([result(), result("toolu_2", { content: "no", is_error: true })]),
  ];
  const rich = { tools, messages, temperature: 0.2, stop_sequences: ["."], ...format(closed) };
  equal(fault({ ...plain, ...rich }, "2023-06-01"), undefined);
  equal(fault({ ...plain, top_p: 1 }, "2026-10-21"), "top_p: Extra inputs are not permitted");
});

Deno.test("Claude on Bedrock wants its version, and neither model nor stream", () => {
  const { model, ...rest } = plain;
  const body = { anthropic_version: "bedrock-2023-05-31", ...rest };
  equal(bedrockFault(body, "us.anthropic.claude-haiku-4-5-20251001-v1:0"), undefined);
  match(bedrockFault(body, "anthropic.claude-3-haiku-20240307-v1:0") ?? "", /5000 > 4096/);
  match(bedrockFault({ ...body, model: model ?? null }, "x") ?? "", /model: Extra/);
  match(bedrockFault(rest, "x") ?? "", /anthropic_version: Field required/);
});
