import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createBreath, holdMilliseconds } from "../../runtime/breath.ts";
import { checkResults } from "../../jobs/results/check.ts";
import { idsOf, namesOf } from "../../jobs/results/missing.ts";
import type { Envelope } from "../../providers/provider.ts";

const envelope: Envelope = {
  name: "openai",
  uniqueIds: true,
  idOf: ({ id }) => `${id}`,
  result: ({ id }) => ({ id: `${id}`, outcome: "success" }),
};

/** A breath for which a millisecond passes at each look, and how often it ended a turn. */
function counting() {
  const counted = { looks: 0, turns: 0 };
  const breath = createBreath({
    now: () => counted.looks++,
    turn: () => Promise.resolve(void counted.turns++),
  });
  return { counted, breath };
}

Deno.test("large results pass through in blocks, and others have their turns", async () => {
  const records = 20_000;
  const chunkBytes = 64 * 1024;
  let opened = "";
  for (let n = 0; n < records; n++) opened += `{"id":"r${n}","text":"${"x".repeat(200)}"}\n`;
  const bytes = new TextEncoder().encode(opened);
  const hash = createHash("sha256");
  let largest = 0;
  const { counted, breath } = counting();
  const check = await checkResults([{
    name: "part",
    open: () =>
      Promise.resolve(ReadableStream.from((function* () {
        for (let at = 0; at < bytes.length; at += chunkBytes) {
          yield bytes.slice(at, at + chunkBytes);
        }
      })())),
  }], {
    envelope,
    likeness: "id",
    write(block) {
      largest = Math.max(largest, block.length);
      hash.update(block);
      return Promise.resolve();
    },
    breath,
  });
  assert.deepEqual([check.records, check.bytes, check.repeated], [records, bytes.length, 0]);
  assert.equal(check.sha256, hash.digest("hex"));
  assert.equal(check.sha256, createHash("sha256").update(bytes).digest("hex"));
  assert.ok(largest <= 256 * 1024 + 2 * chunkBytes, `${largest}`);
  assert.ok(counted.turns >= records / (2 * holdMilliseconds), `${counted.turns}`);
});

Deno.test("a part that is shorter than its provider said is cut short, also between two records", async () => {
  const part = (bytes: number) => ({
    name: "part",
    bytes,
    open: () => Promise.resolve(new Blob(['{"id":"a"}\n']).stream()),
  });
  const options = {
    envelope,
    likeness: "id" as const,
    write: () => Promise.resolve(),
    breath: createBreath(),
  };
  assert.equal((await checkResults([part(11)], options)).isCutShort, false);
  assert.equal((await checkResults([part(12)], options)).isCutShort, true);
});

Deno.test("many short lines in one chunk let others have their turns, blank ones too", async () => {
  const count = 30_000;
  const texts = { records: '{"id":1}\n'.repeat(count), blank: "\n".repeat(count) };
  for (const [name, text] of Object.entries(texts)) {
    const { counted, breath } = counting();
    const open = () => Promise.resolve(ReadableStream.from([new TextEncoder().encode(text)]));
    const write = () => Promise.resolve();
    await checkResults([{ name, open }], { envelope, likeness: "nothing", write, breath });
    assert.ok(counted.turns >= count / (2 * holdMilliseconds), `${name}: ${counted.turns}`);
  }
});

Deno.test("looking for the records that results lack lets others have their turns", async () => {
  const count = 20_000;
  const line = (n: number) => `{"id":"r${n}"}\n`;
  const lines = Array.from({ length: count }, (_, n) => line(n)).join("");
  const stream = (text: string) => ReadableStream.from([new TextEncoder().encode(text)]);
  const write = () => Promise.resolve();
  const check = await checkResults(
    [{ name: "part", open: () => Promise.resolve(stream(lines)) }],
    { envelope, likeness: "id", write, breath: createBreath() },
  );
  const ids = Array.from({ length: count + 1 }, (_, n) => `r${n}`);
  const sources = {
    noted: () => ids,
    input: () => idsOf(stream(lines + line(count)), envelope, createBreath()),
  };
  for (const [name, source] of Object.entries(sources)) {
    const { counted, breath } = counting();
    const { missing } = await namesOf(source(), check, breath);
    assert.deepEqual(missing, [`r${count}`], name);
    assert.ok(counted.turns >= count / (2 * holdMilliseconds), `${name}: ${counted.turns}`);
  }
});

Deno.test("results are given up in the middle of a chunk once the gateway closes", async () => {
  const closing = new AbortController();
  let looks = 0;
  const breath = createBreath({
    signal: closing.signal,
    now: () => looks++,
    turn: () => Promise.resolve(closing.abort(new Error("closing"))),
  });
  const text = '{"id":1}\n'.repeat(1_000);
  const open = () => Promise.resolve(ReadableStream.from([new TextEncoder().encode(text)]));
  const write = () => Promise.resolve();
  const reading = checkResults([{ name: "part", open }], {
    envelope,
    likeness: "id",
    write,
    breath,
  });
  await assert.rejects(reading, /closing/);
  assert.ok(looks < 100);
});

Deno.test("long lines are counted by what is short in them, and let others have their turns", async () => {
  const { openaiEnvelope } = await import("../../providers/openai/envelope.ts");
  const usage = '"usage":{"prompt_tokens":2,"completion_tokens":3}';
  const big = [
    `{"custom_id":"a","response":{"status_code":200,"body":{"data":[${
      "[1,2],".repeat(300_000)
    }0],${usage}}}}`,
    `{"custom_id":"b","response":{"body":{${usage},"t":"${
      '\\"'.repeat(700_000)
    }"},"status_code":500}}`,
    `{"custom_id":"a","response":{"status_code":200,"t":"${"x".repeat(1_500_000)}"}}`,
    `{"custom_id":"c","t":"${"x".repeat(1_500_000)}"`,
    " ".repeat(1_500_000),
  ];
  const { counted, breath } = counting();
  const open = () => Promise.resolve(new Blob([`${big.join("\n")}\n`]).stream());
  const write = () => Promise.resolve();
  const check = await checkResults([{ name: "part", open }], {
    envelope: openaiEnvelope,
    likeness: "id",
    write,
    breath,
  });
  const { records, success, error, repeated, inputTokens, outputTokens } = check;
  assert.deepEqual([records, success, error, repeated], [3, 1, 2, 1]);
  assert.deepEqual([inputTokens, outputTokens], [4, 6]);
  assert.ok(counted.turns > 5, `${counted.turns}`);
});
