import assert from "node:assert/strict";
import { Failure } from "../codecs/failure.ts";
import { createLog, type Log } from "../log.ts";

/** What a log wrote while it was used. */
async function written(format: "json" | "pretty", use: (log: Log) => void): Promise<string[]> {
  const lines: string[] = [];
  const now = () => new Date("2026-11-23T12:34:56.789Z");
  use(createLog({ format, now, write: (line) => lines.push(line) }));
  await Promise.resolve();
  return lines;
}

Deno.test("audit lines of one turn are written together, in the order of events", async () => {
  const use = (log: Log) => {
    for (const key of ["a", "b"]) log.audit({ time: "t", key });
    log.warn("A sentence");
    for (const key of ["c", "d"]) log.audit({ time: "t", key });
  };
  const lines = await written("pretty", use);
  assert.deepEqual(lines.map((line) => line.split("\n").length), [2, 1, 2]);
  assert.deepEqual(lines.join("\n").match(/key=.|A sentence/g), [
    "key=a",
    "key=b",
    "A sentence",
    "key=c",
    "key=d",
  ]);
});

Deno.test("an event is one JSON object a line, with its time, level and facts", async () => {
  const lines = await written("json", (log) => {
    log.info("A sentence", { count: 1, name: null });
    log.warn("Another");
    log.audit({ time: "t", operation: "PutObject", key: null, status: 200 });
  });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    {
      time: "2026-11-23T12:34:56.789Z",
      level: "info",
      message: "A sentence",
      count: 1,
      name: null,
    },
    { time: "2026-11-23T12:34:56.789Z", level: "warn", message: "Another" },
    { time: "t", operation: "PutObject", key: null, status: 200 },
  ]);
});

Deno.test("for people an event is short, without what does not apply", async () => {
  const lines = await written("pretty", (log) => {
    log.info("A sentence", { count: 1, name: null, none: undefined });
    log.audit({
      time: "2026-11-23T01:02:03.004Z",
      operation: "PutObject",
      bucket: "b",
      key: "a b.jsonl",
      job: null,
      status: 200,
    });
  });
  assert.deepEqual(lines, [
    "12:34:56 info A sentence count=1",
    '01:02:03 operation=PutObject bucket=b key="a b.jsonl" status=200',
  ]);
});

Deno.test("for people a request is one short line, and in JSON it has a level and a message", async () => {
  const request = {
    time: "2026-11-23T01:02:03.004Z",
    level: "info",
    message: "PutObject",
    requestId: "a-b-c",
    accessKeyId: "BWAK1",
    tenant: "team-a",
    operation: "PutObject",
    bucket: "b",
    status: 200,
    bytesIn: 5,
    durationMs: 1.5,
    clientAddress: "10.0.0.1",
    userAgent: "Boto3/1.43",
    errorCode: null,
  };
  const refused = { ...request, status: 403, errorCode: "AccessDenied" };
  assert.deepEqual(
    (await written("pretty", (log) => {
      log.audit(request);
      log.audit(refused);
    })).join("\n").split("\n"),
    [
      "01:02:03 info PutObject accessKeyId=BWAK1 bucket=b status=200 durationMs=1.5",
      "01:02:03 info PutObject accessKeyId=BWAK1 bucket=b status=403 durationMs=1.5 " +
      "clientAddress=10.0.0.1 errorCode=AccessDenied",
    ],
  );
  const [line = ""] = await written("json", (log) => log.audit(request));
  assert.deepEqual(JSON.parse(line), request);
});

const hidden: readonly [what: string, text: string][] = [
  ["a line feed", "a\nb"],
  ["a carriage return", "a\rb"],
  ["NUL", "a\0b"],
  ["an escape sequence", "a\u001b[31mb"],
  ["a one-character escape", "a\u009b31mb"],
  ["DEL", "a\u007fb"],
  ["the next-line character", "a\u0085b"],
  ["a line separator", "a\u2028b"],
  ["a paragraph separator", "a\u2029b"],
  ["a turn of direction", "a\u202eb"],
  ["a hidden character beyond 16 bits", "a\u{e0001}b"],
];

for (const [what, text] of hidden) {
  Deno.test(`${what} in a name neither breaks nor colours a line`, async () => {
    for (const format of ["json", "pretty"] as const) {
      const [line = "", ...more] = await written(
        format,
        (log) => log.audit({ time: "t", key: text }),
      );
      assert.deepEqual(more, []);
      assert.match(line, /^[ -~]+$/, JSON.stringify(line));
      if (format === "json") assert.equal(JSON.parse(line).key, text);
    }
  });
}

Deno.test("a name cannot pass for another fact", async () => {
  const [line] = await written(
    "pretty",
    (log) => log.audit({ time: "t", key: "a status=200", status: 404 }),
  );
  assert.equal(line, ' key="a status=200" status=404');
});

Deno.test("letters of any script are written as they are", async () => {
  const [line = ""] = await written("json", (log) => log.info("x", { key: "é漢字🎉" }));
  assert.ok(line.includes("é漢字🎉"), line);
});

Deno.test("an error is written by its class and message, and never by its cause", async () => {
  const cause = new Error("Incorrect API key provided: sk-secret");
  const lines = await written("json", (log) => {
    log.warn("A", { error: new Failure("denied", "The provider refuses the key", { cause }) });
    log.warn("B", { error: new TypeError("no such thing", { cause }) });
  });
  assert.deepEqual(lines.map((line) => JSON.parse(line).error), [
    "denied: The provider refuses the key",
    "TypeError: no such thing",
  ]);
  assert.ok(!lines.join().includes("sk-secret"));
});

Deno.test("lines that could not be written are counted, and reported once writing goes well", async () => {
  const lines: string[] = [];
  let isFull = false;
  const log = createLog({
    format: "pretty",
    now: () => new Date("2026-11-23T12:34:56.789Z"),
    write(line) {
      if (isFull) throw new Error("No space left on device");
      lines.push(line);
    },
  });
  log.info("one");
  isFull = true;
  log.warn("two");
  for (const key of ["a", "b"]) log.audit({ time: "t", key });
  await Promise.resolve();
  isFull = false;
  log.info("three");
  log.info("four");
  assert.deepEqual(lines.map((line) => line.replace(/^\S+ /, "")), [
    "info one",
    "warn 3 lines of the log could not be written",
    "info three",
    "info four",
  ]);
});

for (
  const [key, shown] of [
    ["k".repeat(80), "k".repeat(80)],
    [`${"a".repeat(1_000)}/last.jsonl`, `"${"a".repeat(40)}…${"a".repeat(28)}/last.jsonl"`],
    [`${"\u{1f980}".repeat(81)}`, `"${"\u{1f980}".repeat(40)}…${"\u{1f980}".repeat(39)}"`],
  ] as const
) {
  Deno.test(`for people a key of ${key.length} units fits on a line, in JSON it is whole`, async () => {
    const request = { time: "2026-11-23T01:02:03.004Z", level: "info", message: "GetObject", key };
    const [line] = await written("pretty", (log) => log.audit(request));
    assert.equal(line, `01:02:03 info GetObject key=${shown}`);
    const [json = ""] = await written("json", (log) => log.audit(request));
    assert.equal(JSON.parse(json).key, key);
  });
}
