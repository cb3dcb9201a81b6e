import assert from "node:assert/strict";
import { targetModel } from "../../dialects/models.ts";
import {
  type BrokenLine,
  lossLine,
  numberedId,
  readRecords,
  type RecordPosition,
  type SourceFile,
  type StreamTarget,
  type TranslatedRecord,
  translateRecord,
} from "../../dialects/stream.ts";

const converse = (text: string, id?: string) =>
  `{${id === undefined ? "" : `"recordId":${id},`}"modelInput":{"messages":[{"role":"user",` +
  `"content":[{"text":${JSON.stringify(text)}}]}]}}`;

const target: StreamTarget = {
  to: "openai-chat",
  model: targetModel({ id: "gpt-4o" }),
  wireId: numberedId,
};

interface Options extends Partial<SourceFile>, Pick<StreamTarget, "maxRecordBytes"> {
  /** Bytes of a chunk of the stream. */
  readonly chunk?: number;
}

/** Translates each record that is read; a broken line stays as it is. */
async function* translated(
  bytes: AsyncIterable<Uint8Array>,
  file: SourceFile,
  into: StreamTarget,
  signal?: AbortSignal,
): AsyncGenerator<TranslatedRecord | BrokenLine> {
  for await (const record of readRecords(bytes, file, { signal })) {
    yield record.kind === "broken" ? record : translateRecord(record, file.dialect, into);
  }
}

async function translate(
  text: string | Uint8Array,
  { chunk = Infinity, dialect = "bedrock-converse", maxRecordBytes, ...file }: Options = {},
): Promise<(TranslatedRecord | BrokenLine)[]> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.slice(at, at + chunk);
    await Promise.resolve();
  }
  return await Array.fromAsync(
    translated(chunks(), { dialect, ...file }, { ...target, maxRecordBytes }),
  );
}

const placeOf = ({ line, record, offset, length }: RecordPosition | BrokenLine) => [
  line,
  record,
  offset,
  length,
];

Deno.test("records are numbered, and lines too, blank ones among them", async () => {
  const lines = [converse("a"), "", " \t\r", converse("b") + "\r", converse("c")];
  const text = lines.join("\n");
  for (const chunk of [1, 7, Infinity]) {
    const found = await translate(text, { chunk });
    assert.deepEqual(found.map(placeOf), [
      [1, 1, 0, lines[0]?.length],
      [4, 2, text.indexOf(lines[3] ?? "?"), lines[3]?.length],
      [5, 3, text.indexOf(lines[4] ?? "?"), lines[4]?.length],
    ]);
    assert.deepEqual(
      found.map((one) => one.kind === "record" && one.wireId),
      ["r0000001", "r0000002", "r0000003"],
    );
  }
});

Deno.test("a byte order mark is passed over, with blank lines behind it too", async () => {
  for (const between of ["", "\n", " \r\n\n"]) {
    const [first, ...more] = await translate(`\ufeff${between}${converse("a", '"x"')}\n`, {
      chunk: 2,
    });
    assert(first?.kind === "record");
    assert.equal(first.id, '"x"');
    assert.equal(first.record, 1);
    assert.deepEqual(more, []);
  }
});

Deno.test("a byte order mark inside of a file is a broken line", async () => {
  const [, second] = await translate(`${converse("a")}\n\ufeff${converse("b")}`);
  assert(second?.kind === "broken");
  assert.equal(second.reason, "not valid JSON");
});

Deno.test("ids come back as they stand, and absent ones by their physical line", async () => {
  const long = JSON.stringify("é".repeat(5_000));
  const ids = [
    undefined,
    '""',
    "null",
    '"CALL0000001"',
    "17",
    "-1.50e3",
    "12345678901234567890",
    '"\\u0041\\ud800 /\\/"',
    long,
  ];
  const found = await translate(`\n${ids.map((id) => converse("a", id)).join("\n")}\n`);
  assert.deepEqual(found.map((one) => one.kind === "record" && one.id), [
    '"CALL0000002"',
    '"CALL0000003"',
    '"CALL0000004"',
    ...ids.slice(3),
  ]);
});

Deno.test("ids of every envelope are read, Gemini's in both places", async () => {
  const gemini = (id: string) => `{${id}"request":{"contents":[{"parts":[{"text":"a"}]}]}}`;
  const found = await translate(
    [gemini('"key":"k1",'), gemini('"metadata":{"key":"k2"},'), gemini("")].join("\n"),
    { dialect: "gemini" },
  );
  assert.deepEqual(found.map((one) => one.kind === "record" && one.id), [
    '"k1"',
    '"k2"',
    '"CALL0000003"',
  ]);
});

Deno.test("lines that are not records of the file are broken, and the others are translated", async () => {
  const claude = '{"modelInput":{"anthropic_version":"v","max_tokens":1,"messages":[]}}';
  const found = await translate([
    converse("a"),
    "{",
    "[]",
    claude,
    '{"custom_id":"a","method":"POST","url":"/v1/moderations","body":{"input":"x"}}',
    '{"recordId":"a","modelOutput":{}}',
    `${converse("b")} x`,
    `${"[".repeat(300)}${"]".repeat(300)}`,
    converse("z"),
  ].join("\n"));
  assert.deepEqual(
    found.map((one) => one.kind === "broken" ? `line ${one.line} is ${one.reason}` : one.wireId),
    [
      "r0000001",
      "line 2 is not valid JSON",
      "line 3 is not a JSON object",
      "line 4 is a record of bedrock-anthropic, and line 1 is one of bedrock-converse",
      "line 5 is a record of /v1/moderations of openai, and line 1 is one of bedrock-converse",
      "line 6 is a line of results (it has modelOutput and no request)",
      "line 7 is not one JSON value",
      "line 8 is nested more than 256 levels deep",
      "r0000009",
    ],
  );
});

Deno.test("bytes that are not UTF-8 are a broken line", async () => {
  const bytes = new TextEncoder().encode(`${converse("a?")}\n${converse("b")}`);
  bytes[bytes.indexOf(0x3f)] = 0xff;
  const [first, second] = await translate(bytes);
  assert(first?.kind === "broken");
  assert.equal(first.reason, "not valid UTF-8");
  assert(second?.kind === "record");
});

Deno.test("a declared dialect takes every line of its envelope, and no other", async () => {
  const open = '{"recordId":"a","modelInput":{"messages":[{"role":"user","content":"hi"}]}}';
  const other = '{"custom_id":"a","params":{"messages":[]}}';
  const found = await translate(`${open}\n${other}`, {
    dialect: "bedrock-anthropic",
    isDeclared: true,
  });
  assert.deepEqual(found.map(({ kind }) => kind), ["record", "broken"]);
  assert(found[1]?.kind === "broken");
  assert.equal(found[1].reason, "not a record of bedrock-anthropic");
});

Deno.test("a line over the bound is refused by its id, and costs no memory", async () => {
  const lines = [
    converse("a"),
    converse("b".repeat(500_000), '"big \\"1\\""'),
    converse("c".repeat(500_000)),
    converse("d"),
  ];
  const found = await translate(lines.join("\n"), { maxLineBytes: 1_000, chunk: 4_096 });
  assert.deepEqual(found.map(placeOf).map(([line, record]) => [line, record]), [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
  ]);
  const [, big, unnamed, last] = found;
  assert(big?.kind === "record" && big.translated.kind === "refused");
  assert.equal(big.id, '"big \\"1\\""');
  assert.equal(big.length, lines[1]?.length);
  assert.equal(big.translated.error.http, 413);
  assert(unnamed?.kind === "broken");
  assert.equal(unnamed.reason, "too long to be read, and does not begin with its id");
  assert(last?.kind === "record" && last.translated.kind === "lines");
  assert.equal(last.offset, lines.slice(0, 3).join("\n").length + 1);
});

Deno.test("a record over the provider's size is refused with 413, in bytes and not in characters", async () => {
  const text = "é".repeat(400);
  const [whole] = await translate(converse(text));
  assert(whole?.kind === "record" && whole.translated.kind === "lines");
  const bytes = new TextEncoder().encode(whole.translated.lines[0]).length;
  for (const [most, kind] of [[bytes, "lines"], [bytes - 1, "refused"], [10, "refused"]] as const) {
    const [found] = await translate(converse(text), { maxRecordBytes: most });
    assert(found?.kind === "record");
    assert.equal(found.translated.kind, kind);
    if (found.translated.kind !== "refused") continue;
    assert.equal(found.translated.error.http, 413);
    assert.match(found.translated.error.message, new RegExp(`${bytes} bytes.*takes ${most}`));
    assert.deepEqual(found.translated.losses.map(({ kind, path }) => [kind, path]), [
      ["refused", "record"],
    ]);
  }
});

Deno.test("a stream that is given up ends with its reason", async () => {
  const aborting = new AbortController();
  async function* chunks() {
    yield new TextEncoder().encode(`${converse("a")}\n`);
    aborting.abort(new Error("given up"));
    yield new TextEncoder().encode(`${converse("b")}\n`);
    await Promise.resolve();
  }
  const found: string[] = [];
  await assert.rejects(async () => {
    const file: SourceFile = { dialect: "bedrock-converse" };
    for await (const one of translated(chunks(), file, target, aborting.signal)) {
      found.push(one.kind === "record" ? one.wireId : "?");
    }
  }, /given up/);
  assert.deepEqual(found, ["r0000001", "r0000002"]);
});

Deno.test("a line of the report holds the record's id as it stands", () => {
  const line = lossLine(
    { id: "12345678901234567890", line: 7, record: 3, offset: 0, length: 9 },
    { kind: "dropped", path: 'modelInput."a b"', reason: "no counterpart", hint: true },
  );
  assert.equal(
    line,
    '{"recordId":12345678901234567890,"line":7,"path":"modelInput.\\"a b\\"","loss":"dropped","reason":"no counterpart"}\n',
  );
});
