import assert from "node:assert/strict";
import { closedJson, HeadReader, maxHeadBytes } from "../../dialects/head.ts";

const utf8 = new TextEncoder();

/** What a file is, looked at in chunks of this size. */
function detect(text: string, chunkBytes = 7) {
  const bytes = utf8.encode(text);
  const head = new HeadReader();
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const detected = head.push(bytes.subarray(at, at + chunkBytes));
    if (detected) return detected;
  }
  return head.end();
}

const chat =
  '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}';

Deno.test("the first record decides, whatever stands before and behind it", () => {
  const files: readonly [text: string, dialect: string][] = [
    [chat, "openai-chat"],
    [`\ufeff\r\n \n${chat}\r\n{"key":"b","request":{"contents":[]}}`, "openai-chat"],
    ['{"key":"b","request":{"contents":[]}}\nnot JSON', "gemini"],
    ['{"recordId":"1","modelInput":{"inferenceConfig":{},"messages":[]}}\n', "bedrock-converse"],
    ['{"custom_id":"a","params":{"model":"m"}}', "anthropic"],
  ];
  for (const [text, dialect] of files) {
    for (const size of [1, 7, 10_000]) assert.deepEqual(detect(text, size), { dialect });
  }
});

Deno.test("what is not JSON Lines is of no dialect", () => {
  const texts = [
    "",
    "\n\n",
    "id,name\n1,a\n",
    "\x89PNG\r\n\x1a\n\0\0",
    "[1]",
    '"a"',
    '{"a":',
    chat + chat,
  ];
  for (const text of texts) assert.ok("unknown" in detect(text), JSON.stringify(text));
});

Deno.test("of a record that is longer than what is looked at, the beginning decides", () => {
  const long = "A".repeat(maxHeadBytes);
  const files: readonly [text: string, dialect: string][] = [
    [
      `{"key":"b","request":{"contents":[{"parts":[{"inlineData":{"data":"${long}"}}]}]}}`,
      "gemini",
    ],
    [
      `{"custom_id":"a","url":"/v1/responses","body":{"input":[{"image_url":"${long}"}]}}`,
      "openai-responses",
    ],
    [
      `{"recordId":"a","modelInput":{"messages":[{"role":"user","content":[{"text":"${long}"`,
      "bedrock-converse",
    ],
    [`{"custom_id":"a","params":{"messages":[{"content":"${long}`, "anthropic"],
  ];
  for (const [text, dialect] of files) assert.deepEqual(detect(text, 65_536), { dialect });
  for (const text of [long, `"${long}"`, `{"${long}`, `{"a":[${"1,".repeat(maxHeadBytes / 2)}`]) {
    assert.ok("unknown" in detect(text, 65_536));
  }
});

Deno.test("the beginning of any object is closed to an object with the members that came before", () => {
  const objects = [
    {
      a: 1,
      "b,{": [true, null, -1.5e3, { c: 'x\\"}]', "": [] }],
      d: { e: [[], [{}]] },
      f: "\u20ac",
    },
    { '"': "\\", list: ["a", ["b", "c:,"]], n: { n: { n: 0 } } },
  ];
  for (
    const text of objects.flatMap((one) => [JSON.stringify(one), JSON.stringify(one, null, 2)])
  ) {
    const names = Object.keys(JSON.parse(text));
    for (let end = 1; end <= text.length; end++) {
      const closed = closedJson(text.slice(0, end)) ?? "";
      const read = Object.keys(JSON.parse(closed));
      assert.deepEqual(read, names.slice(0, read.length), closed);
    }
    assert.deepEqual(JSON.parse(closedJson(text) ?? ""), JSON.parse(text));
  }
  assert.equal(closedJson('{"a":1,"b":"x\\u00'), '{"a":1,"b":"x"}');
  assert.equal(closedJson('{"a":[{"b":"x\\\\'), '{"a":[{"b":"x\\\\"}]}');
  assert.equal(closedJson('{"a":[{"b":"x\\'), '{"a":[{"b":"x"}]}');
  assert.equal(closedJson('{"a":tru'), "{}");
  assert.equal(closedJson('{"a":1,"b'), '{"a":1}');
  assert.equal(closedJson("[1"), undefined);
});
