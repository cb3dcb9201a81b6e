/** The scanner of JSON accepts what the engine accepts, and keeps every byte. */
import assert from "node:assert/strict";
import { JsonError, maxJsonDepth, maxJsonValues, parseJson, pathOf } from "../../dialects/json.ts";
import type { Json } from "../../dialects/json.ts";
import fc from "../sdks/fast_check.ts";

/** The value that a tree stands for, as `JSON.parse` makes it. */
function valueOf(json: Json): unknown {
  switch (json.kind) {
    case "object": {
      const members = (json.keys ?? []).map((key, at) => [key, json.items?.[at]] as const);
      return Object.fromEntries(members.map(([key, item]) => [key, item && valueOf(item)]));
    }
    case "array":
      return json.list.map(valueOf);
    case "string":
      return json.text;
    case "number":
      return json.number;
    case "boolean":
      return json.flag;
    case "null":
      return null;
  }
}

function outcome(parse: () => unknown): { readonly value: unknown } | undefined {
  try {
    return { value: parse() };
  } catch (error) {
    assert(error instanceof SyntaxError || error instanceof JsonError, String(error));
    return undefined;
  }
}

function agree(text: string): void {
  assert.deepEqual(
    outcome(() => valueOf(parseJson(text))),
    outcome(() => JSON.parse(text)),
    JSON.stringify(text),
  );
}

const seeds = [
  '{"a":[1,2.50,-0,1e5,true,false,null,"x\\u00e9\\n"],"b":{"__proto__":1,"":2,"a":3,"a":4}}',
  '"\\ud800 \ud800 \\" \\\\ \\/"',
  '[[],{}," \\\\ \\" "]',
  "-1.5E-3",
  ' \r\n\t{"a" : "b"}\n',
  '"é\u2028\u007f"',
];
const snippets = fc.constantFrom(
  ...['"', "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", "+", ".", "e", "E", "true", "nul"],
  ...[
    "\\u",
    "\\u12",
    "\\/",
    "\n",
    "\t",
    "\u0001",
    "\u00a0",
    "\ufeff",
    "\ud800",
    "/",
    " ",
    "\u007f",
  ],
  ...["\r", "\v", '"":', '{"', "00", "1.", ".5"],
);

Deno.test("Texts near to JSON are JSON where the engine says so, and mean the same", () => {
  const edit = fc.tuple(fc.nat(), fc.nat(3), snippets);
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (seed, edits) => {
        agree(edits.reduce((text, [place, cut, snippet]) => {
          const at = place % (text.length + 1);
          return text.slice(0, at) + (cut === 3 ? "" : snippet) + text.slice(at + cut);
        }, seed));
      },
    ),
    { numRuns: 1500 },
  );
});

Deno.test("Any value that is written as JSON is read as it is", () => {
  fc.assert(fc.property(fc.json({ maxDepth: 2 }), agree), { numRuns: 60 });
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 20 }),
      (text) => agree(JSON.stringify(text)),
    ),
    { numRuns: 200 },
  );
});

Deno.test("A value keeps its text, and its path leads to it", () => {
  const odd = '{"n":1.0,"id":12345678901234567890,"10":{"a b":[-0,"\\ud800\\/"]},"n":1E2}';
  const tree = parseJson(` ${odd} `);
  assert.equal(tree.raw, odd);
  assert.equal(tree.get("n")?.raw, "1E2");
  assert.deepEqual(tree.members().map(({ name }) => name), ["id", "10", "n"]);
  const last = tree.get("10")?.get("a b")?.list[1];
  assert(last);
  assert.equal(last.raw, '"\\ud800\\/"');
  assert.equal(pathOf(tree, last.at), '10."a b"[1]');
});

Deno.test("Depth and number of values are bounded", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(parseJson(nested(maxJsonDepth)).kind, "array");
  assert.throws(() => parseJson(nested(maxJsonDepth + 1)), JsonError);
  assert.throws(() => parseJson("[".repeat(5_000_000)), JsonError);
  assert.equal(parseJson(`[${"0,".repeat(maxJsonValues - 2)}0]`).list.length, maxJsonValues - 1);
  assert.throws(() => parseJson(`[${"0,".repeat(maxJsonValues - 1)}0]`), JsonError);
});

Deno.test("Texts of 100 MiB, and of nothing but escapes, are read in one pass", () => {
  const size = 100 * 1024 * 1024;
  assert.equal(parseJson(`"${"a".repeat(size)}"`).end, size + 2);
  const escapes = 1024 * 1024;
  assert.equal(parseJson(`"${'\\"'.repeat(escapes)}"`).text?.length, escapes);
  assert.equal(parseJson(`"${"\\\\".repeat(escapes)}"`).text?.length, escapes);
  assert.throws(() => parseJson(`"${"\\".repeat(2 * escapes + 1)}"`), JsonError);
  assert.throws(() => parseJson("1e".repeat(escapes)), JsonError);
});
