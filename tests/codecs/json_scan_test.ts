import { deepEqual, equal } from "node:assert/strict";
import { createBreath } from "../../runtime/breath.ts";
import { JsonScan, outlineOf, scanObject, textOf } from "../../codecs/json_scan.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The members that a scan finds, whose bytes come in slices of a size. */
function scanned(text: string, size: number, levels = 2) {
  const bytes = encode(text);
  const scan = new JsonScan(levels);
  for (let to = 0; to < bytes.length;) {
    to = Math.min(to + size, bytes.length);
    scan.push(bytes, to);
  }
  return scan.end(bytes);
}

const texts = [
  "{}",
  " {\t} \r",
  '{"a":1}',
  '{"a":-0.5e+10,"b":[],"c":{"d":{"e":[{}]}},"d":"\\u00fc\\\\\\""}',
  '{"a":true,"b":null,"c":false}',
  '{"\\u0061":"ü\u{1f600}"}',
  "",
  " ",
  "[]",
  "1",
  '"a"',
  "null",
  "{",
  "}",
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  "{,}",
  "{a:1}",
  '{"a":01}',
  '{"a":1.}',
  '{"a":+1}',
  '{"a":tru}',
  '{"a":"\t"}',
  '{"a":"\\x"}',
  '{"a":"\\u12g4"}',
  '{"a":"',
  '{"a":[1,]}',
  '{"a":[,1]}',
  '{"a":[1 2]}',
  '{"a":[1}',
  '{"a":{]}',
  '{"a":1}{}',
  '{"a":1}x',
  '{"a":1 "b":2}',
  '{"a"::1}',
  '{"a":1}}',
  "\ufeff{}",
  '{"a":1\u00a0}',
];

Deno.test("a scan takes what JSON.parse takes for an object, however the bytes are cut", () => {
  for (const text of texts) {
    for (const size of [1, 2, 3, 1000]) {
      equal(scanned(text, size) !== undefined, isObject(text), `${text} by ${size}`);
    }
  }
});

Deno.test("one wrong byte anywhere is seen as JSON.parse sees it", () => {
  const right = '{"k":"a\\n\\u0041","m":[1.5,{"x":null},true],"e":{}}';
  for (let at = 0; at < right.length; at++) {
    for (const other of ['"', "\\", "{", "]", ",", ":", "0", "-", "u", "\u0001", " ", ""]) {
      const text = right.slice(0, at) + other + right.slice(at + 1);
      equal(scanned(text, 3) !== undefined, isObject(text), text);
    }
  }
});

Deno.test("members are found with their values, down to a depth", () => {
  const text = ' {"a" : [1, {"b":2}] , "\\u0062":{"c":"x","c":7},"a":"last"} ';
  const bytes = encode(text);
  const members = scanned(text, 2) ?? [];
  const told = members.map(({ depth, name, kind, valueStart, end }) => [
    depth,
    name,
    kind,
    text.slice(valueStart, end),
  ]);
  deepEqual(told, [
    [1, "a", "array", '[1, {"b":2}]'],
    [1, "b", "object", '{"c":"x","c":7}'],
    [2, "c", "string", '"x"'],
    [2, "c", "scalar", "7"],
    [1, "a", "string", '"last"'],
  ]);
  equal(textOf(bytes, members, "a", 100), "last");
  equal(textOf(bytes, members, "a", 5), undefined);
  equal(textOf(bytes, members, "b", 100), undefined);
});

Deno.test("bytes that are not UTF-8 are not JSON", () => {
  const bytes = Uint8Array.of(...encode('{"a":"'), 0xff, ...encode('"}'));
  const scan = new JsonScan(1);
  scan.push(bytes, bytes.length);
  equal(scan.end(bytes), undefined);
});

Deno.test("what passes a limit is reported as not JSON, at no more cost than its bytes", () => {
  const deep = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const wide = (members: number) =>
    `{${Array.from({ length: members }, (_, n) => `"${n}":0`).join(",")}}`;
  const digits = (count: number) => `{"a":${"1".repeat(count)}}`;
  const form: [(size: number) => string, number][] = [[deep, 999], [wide, 10_000], [digits, 1024]];
  for (const [make, most] of form) {
    equal(scanned(make(most), 1000) !== undefined, true, `${make.name} ${most}`);
    equal(scanned(make(most + 1), 1000), undefined, `${make.name} ${most + 1}`);
  }
});

Deno.test("a long object is scanned in slices, between which others have their turns", async () => {
  const long = [
    `{"t":"${"x".repeat(400_000)}","url":"/v1"}`,
    `{"t":"${'\\"'.repeat(200_000)}","url":"/v1"}`,
    `{"t":[${"{},".repeat(130_000)}0],"url":"/v1"}`,
  ];
  for (const text of long) {
    let time = 0;
    let turns = 0;
    // Each look at the clock finds that the work has held the event loop for long.
    const breath = createBreath({
      now: () => (time += 100),
      turn: () => Promise.resolve(void turns++),
    });
    const bytes = encode(text);
    const members = await scanObject(bytes, 1, breath);
    equal(textOf(bytes, members ?? [], "url", 10), "/v1");
    equal(turns, Math.ceil(bytes.length / 65_536));
  }
});

Deno.test("an outline holds what is short of an object, and nothing of its lists", () => {
  const long = "x".repeat(70_000);
  const value = {
    custom_id: "a\n\u{1f600}",
    response: {
      status_code: 200,
      body: {
        data: [{ embedding: [1, 2], index: 0 }, { usage: { wrong: 1 } }],
        choices: [],
        usage: { prompt_tokens: 7, details: { cached: 1, deep: { er: { none: 1 } } } },
      },
    },
    error: null,
    text: long,
    [long]: 1,
    ["__proto__"]: { a: true },
  };
  const bytes = encode(JSON.stringify(value));
  const scan = new JsonScan(5);
  scan.push(bytes, bytes.length);
  const members = scan.end(bytes) ?? [];
  deepEqual(
    JSON.stringify(outlineOf(bytes, members)),
    JSON.stringify({
      custom_id: "a\n\u{1f600}",
      response: {
        status_code: 200,
        body: {
          data: [],
          choices: [],
          usage: { prompt_tokens: 7, details: { cached: 1, deep: {} } },
        },
      },
      error: null,
      text: "",
      ["__proto__"]: { a: true },
    }),
  );
});
