/** What clients, operators and newcomers read is plain English. */
import assert from "node:assert/strict";
import { literalsOf } from "./literals.ts";
import { readSources } from "./sources.ts";

/** A turn of phrase that is not to come back, and the better form. */
interface Phrase {
  readonly not: RegExp;
  readonly but: string;
}

/** Sentences of messages and of docs hold none of these. */
const phrases: readonly Phrase[] = [
  { not: /\bnobody\b/i, but: "name who: 'not visible to clients', 'no other process'" },
  { not: /\b(?:some|every)body\b/i, but: "name who: the caller, the client, another process" },
  { not: /\bwho(?:so)?ever\b/i, but: "'the client that', 'a caller that'" },
  { not: /\btells\b|\btold\b/i, but: "returns, reports, holds, says; sees, gets" },
  { not: /\btell of\b/i, but: "report, mention" },
  { not: /\b(?<!let )alone\b/i, but: "'only' before its noun, or 'read-only'" },
  {
    not: /(?<!\bthere |\bThere )\b(?:is|are|was|were) no(?:ne)?\b(?! (?:longer|more|room)\b)/,
    but: "'is not a', 'is not one of'",
  },
  { not: /\bby other means\b/i, but: "'native', once that is defined; 'without Batchway'" },
  { not: /\b(?:says?|said) no\b/i, but: "refuses" },
  { not: /\bin vain\b/i, but: "without success" },
  { not: /\banew\b/i, but: "again" },
  { not: /\bto be had\b/i, but: "available" },
  { not: /\bthe dear way\b/i, but: "say what it costs" },
  { not: /\btakes? less than that\b/i, but: "'takes no further arguments'" },
];

const root = new URL("../", import.meta.url);
/** Folders whose strings are neither read by clients nor by operators. */
const others: readonly string[] = ["tests", "bench", "dist", "docs"];

/** The faults of a text, by its place. */
function faultsOf(place: string, text: string): string[] {
  return phrases.flatMap(({ not, but }) => {
    const found = not.exec(text);
    return found ? [`${place}: "${found[0]}". Better: ${but}`] : [];
  });
}

async function* filesBelow(folder: string, extension: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", root))) {
    if (name.startsWith(".") || others.includes(`${folder}${name}`)) continue;
    if (isDirectory) yield* filesBelow(`${folder}${name}/`, extension);
    else if (name.endsWith(extension)) yield `${folder}${name}`;
  }
}

Deno.test("messages are plain English", async () => {
  const faults: string[] = [];
  let sentences = 0;
  for await (const path of filesBelow("", ".ts")) {
    const source = await Deno.readTextFile(new URL(path, root));
    for (const { line, text } of literalsOf(source)) {
      if (!/\w \w/.test(text)) continue;
      sentences++;
      faults.push(...faultsOf(`${path}:${line}`, text));
    }
  }
  assert.ok(sentences > 500, `only ${sentences} sentences were found`);
  assert.deepEqual(faults, []);
});

Deno.test("the README and docs are plain English", async () => {
  const pages = ["README.md"];
  for await (const path of filesBelow("docs/", ".md")) pages.push(path);
  assert.ok(pages.length > 10);
  const faults: string[] = [];
  for (const page of pages) {
    const text = await Deno.readTextFile(new URL(page, root));
    // Code is not prose; a sentence may go on behind a line feed.
    const prose = text.replaceAll(
      /^```.*?^```|`[^`\n]*`/gms,
      (code) => code.replaceAll(/\S/g, "_"),
    );
    for (const { index, 0: paragraph } of prose.matchAll(/(?:^.+\n?)+/gm)) {
      const line = prose.slice(0, index).split("\n").length;
      faults.push(...faultsOf(`${page}:${line}`, paragraph.replaceAll("\n", " ")));
    }
  }
  assert.deepEqual(faults, []);
});

/** A comment of a source, on one line of its own text. */
interface Comment {
  readonly line: number;
  readonly text: string;
}

/** Returns the comments that stand on lines of their own; lines that follow each other are one. */
function commentsOf(source: string): Comment[] {
  const found: { line: number; text: string }[] = [];
  let isOpen = false;
  for (const [index, text] of source.split("\n").entries()) {
    const comment = /^\s*(?:\/\*+|\*(?!\/)|\/\/)\s?(.*?)(?:\*\/)?$/.exec(text)?.[1];
    const last = found.at(-1);
    if (comment === undefined) isOpen = false;
    else if (isOpen && last && !/^\s*\/\*/.test(text)) last.text += ` ${comment}`;
    else {
      found.push({ line: index + 1, text: comment });
      isOpen = true;
    }
  }
  // Code is not prose.
  return found.map(({ line, text }) => ({ line, text: text.replaceAll(/`[^`]*`/g, "…") }));
}

const sources = await readSources();
const product = sources.filter(({ path }) => !others.includes(path.split("/")[0] ?? ""));

/** The name of a test. */
const testName = /\btest\(\s*(?:\{\s*name:\s*)?(["`])((?:(?!\1)[^\\]|\\.)*)\1/g;

Deno.test("names of tests are plain English", () => {
  const names = sources.filter(({ path }) => path.startsWith("tests/")).flatMap(({ path, text }) =>
    [...text.matchAll(testName)].map(([, , name = ""]) => ({
      path,
      // Code is not prose.
      name: name.replaceAll(/\$\{[^}]*\}/g, "…"),
    }))
  );
  assert.ok(names.length > 1_500, `only ${names.length} tests were found`);
  assert.deepEqual(names.flatMap(({ path, name }) => faultsOf(path, name)), []);
});

Deno.test("comments of the product are plain English", () => {
  const comments = product.flatMap(({ path, text }) =>
    commentsOf(text).map((comment) => ({ path, ...comment }))
  );
  assert.ok(comments.length > 3_000, `only ${comments.length} comments were found`);
  const faults = comments.flatMap(({ path, line, text }) => faultsOf(`${path}:${line}`, text));
  assert.deepEqual(faults, []);
});

/** A comment right above a function that does not begin with what the function does. */
const aboveFunction =
  /\/\*\*[\s*]*((?:What|Whether|Who|Whose|Where|When|How|Why|Which) (?:(?!\*\/).)*?)\s*\*\/\n\s*(?:export )?(?:async )?function\b/gs;

Deno.test("comments of functions begin with a verb", () => {
  const faults = product.flatMap(({ path, text }) =>
    [...text.matchAll(aboveFunction)].map(([, comment = ""]) =>
      `${path}: "${comment.slice(0, 60)}". Better: Returns what, Returns whether, Throws …`
    )
  );
  assert.deepEqual(faults, []);
});

Deno.test("a phrase is found in each form of comment, over its lines, and not in code", () => {
  const source = [
    "// Done anew.",
    "const anew = 1;",
    "/** Tried in vain. */",
    "/**",
    " * A file that is put by other",
    " * means, by `nobody`.",
    " */",
    "  // The key may read",
    "  // alone.",
    "/* Whoever comes. */",
  ].join("\n");
  const found = commentsOf(source).flatMap(({ line, text }) => faultsOf(`${line}`, text));
  assert.deepEqual(found.map((fault) => fault.split(". Better")[0]), [
    '1: "anew"',
    '3: "in vain"',
    '4: "by other means"',
    '8: "alone"',
    '10: "Whoever"',
  ]);
});

Deno.test("a phrase is found in a sentence that is joined, nested or cut by an expression", () => {
  const source = `
    // It is told here, and in a pattern: that is not looked at.
    const pattern = /is "told" by/;
    throw new Failure("invalid", "The key may " +
      "read alone");
    const text = \`Files of \${list.map((one) => \`\${one} is no file\`)} and {braces}\`;
    const whole = 'It\\'s "told" to nobody'; /* "whoever" */
  `;
  const texts = literalsOf(source).map(({ text }) => text);
  assert.deepEqual(texts, [
    "invalid",
    "The key may read alone",
    "Files of … and {braces}",
    "… is no file",
    `It\\'s "told" to nobody`,
  ]);
  const found = texts.flatMap((text) => faultsOf("it", text)).map((fault) => fault.split('"')[1]);
  assert.deepEqual(found, ["alone", "is no", "nobody", "told"]);
  assert.deepEqual(faultsOf("it", "There is no job here, and the file is no longer there"), []);
});
