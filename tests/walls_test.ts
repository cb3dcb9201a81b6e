import { longFunctions, maxLines, measure, others } from "./functions.ts";
import assert from "node:assert/strict";
import { readSources } from "./sources.ts";
import { circles, violations } from "./walls.ts";

Deno.test("every source file keeps to its walls", async () => {
  const sources = await readSources();
  assert.ok(sources.length > 100, `only ${sources.length} files were found`);
  assert.deepEqual(sources.flatMap(violations), []);
});

Deno.test("no file imports itself through others", async () => {
  assert.deepEqual(circles(await readSources()), []);
});

const source = (path: string, ...imports: string[]) => ({
  path,
  text: imports.map((from) => `import type { A } from "${from}";`).join("\n"),
});

Deno.test("a circle of imports is found across rooms, also of types, and once", () => {
  const sources = [
    source("a/x.ts", "../b/y.ts"),
    source("b/y.ts", "./z.ts"),
    source("b/z.ts", "../a/x.ts", "./leaf.ts"),
    source("b/leaf.ts"),
    source("c/user.ts", "../a/x.ts"),
  ];
  assert.deepEqual(circles(sources), [["a/x.ts", "b/y.ts", "b/z.ts"]]);
  assert.deepEqual(circles(sources.filter(({ path }) => path !== "b/z.ts")), []);
});

Deno.test("two circles that share no file are two", () => {
  const pair = (room: string) => [
    { path: `${room}/a.ts`, text: 'export { b } from "./b.ts";' },
    { path: `${room}/b.ts`, text: 'const a = await import("./a.ts");' },
  ];
  assert.deepEqual(circles([...pair("x"), ...pair("y")]), [
    ["x/a.ts", "x/b.ts"],
    ["y/a.ts", "y/b.ts"],
  ]);
});

const holes: readonly [what: string, path: string, text: string, expected: RegExp][] = [
  ["a codec that knows a room", "codecs/x.ts", 'import { a } from "../jobs/a.ts";', /must not/],
  ["a provider that asks the catalog", "providers/x.ts", 'import "../catalog/kv.ts";', /must not/],
  ["objects that ask jobs", "objects/x.ts", 'import { a } from "../jobs/a.ts";', /must not/],
  ["a room that imports routes", "jobs/x.ts", 'import { a } from "../routes/a.ts";', /must not/],
  ["a lazy import", "catalog/x.ts", 'const a = await import("../objects/a.ts");', /must not/],
  ["a passed-on export", "codecs/x.ts", 'export { a } from "../jobs/a.ts";', /must not/],
  [
    "an import over several lines",
    "routes/x.ts",
    'import {\n  a,\n  type B,\n} from "../providers/registry.ts";',
    /must not/,
  ],
  [
    "a value where types are allowed",
    "jobs/x.ts",
    'import { type A, b } from "../providers/provider.ts";',
    /not values/,
  ],
  ["a gateway on the sandbox", "gateway.ts", 'import { a } from "./sandbox/a.ts";', /must not/],
  ["a file that uses tests", "jobs/x.ts", 'import { a } from "../tests/a.ts";', /test file/],
  ["a room without walls", "stuff/x.ts", 'import { a } from "../codecs/a.ts";', /no room/],
  ["the framework in objects", "objects/x.ts", 'import { Hono } from "@hono/hono";', /framework/],
  [
    "a framework type that crosses out",
    "routes/x.ts",
    'import type { Context } from "@hono/hono";\nexport function f(c: Context): void {}',
    /exports the framework's Context/,
  ],
  ["a dependency of one file", "jobs/x.ts", 'import a from "npm:left-pad@1";', /deno\.json/],
  ["a provider in a string", "jobs/x.ts", 'if (kind === "gemini") {}', /names the provider gemini/],
  ["a provider in a name", "objects/x.ts", "const x = settings.openai;", /names the provider/],
  ["a file with two jobs", "jobs/x.ts", "a;\n".repeat(351), /351 lines/],
];

for (const [what, path, text, expected] of holes) {
  Deno.test(`the walls are closed to ${what}`, () => {
    const found = violations({ path, text });
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", expected);
  });
}

Deno.test("what the walls allow is not reported", () => {
  const allowed: [string, string][] = [
    ["jobs/x.ts", 'import type { A } from "../providers/provider.ts";'],
    ["routes/x.ts", 'import { type A, type B } from "../providers/provider.ts";'],
    ["routes/app.ts", 'import { Hono } from "@hono/hono";\nfunction f(): Hono {}'],
    ["jobs/x.ts", "// OpenAI and Gemini differ here.\n/** Not as Anthropic. */\na; // openai"],
    ["providers/gemini/x.ts", 'const a = "gemini";'],
    ["sandbox/main.ts", 'import { a } from "../gateway.ts";\nimport { b } from "../codecs/b.ts";'],
    ["tests/x_test.ts", 'import { a } from "../routes/a.ts";'],
    ["jobs/x.ts", 'const url = "https://example.com"; import { a } from "node:crypto";'],
    ["jobs/x.ts", "a;\n".repeat(350)],
  ];
  for (const [path, text] of allowed) assert.deepEqual(violations({ path, text }), []);
});

Deno.test("functions are short, but for those that are listed with a reason", async () => {
  const sources = (await readSources()).filter(({ path }) => !others.test(path));
  const found = sources.flatMap(measure);
  assert.ok(found.length > 1_000, "functions were found");
  const long = found.filter(({ lines }) => lines > maxLines).map(({ name }) => name);
  assert.deepEqual(long.toSorted(), Object.keys(longFunctions).toSorted());
  for (const [name, reason] of Object.entries(longFunctions)) {
    const text = sources.find(({ path }) => name.startsWith(`${path} `))?.text ?? "";
    const comments = text.replaceAll(/\s+\*\s+/g, " ");
    assert.ok(comments.includes(reason), `${name} does not say why it is long: ${reason}`);
  }
});

const step = "  a();\n";

for (
  const [title, text, lines] of [
    ["a function", `function f() {\n${step.repeat(60)}}`, 62],
    ["an arrow", `const f = () => {\n${step.repeat(60)}};`, 62],
    ["a method", `class A {\n f() {\n${step.repeat(60)}}\n}`, 62],
    ["a function in a factory", `function f() {\n function g() {\n${step.repeat(59)} }\n}`, 61],
    ["a factory with steps", `function f() {\n${step.repeat(60)} function g() {\n }\n}`, 62],
    ["a callback in a function", `function f() {\n a(() => {\n${step.repeat(58)} });\n}`, 62],
  ] as const
) {
  Deno.test(`${title} is measured by its own lines`, () => {
    const longest = Math.max(...measure({ path: "x.ts", text }).map((one) => one.lines));
    assert.equal(longest, lines);
  });
}
