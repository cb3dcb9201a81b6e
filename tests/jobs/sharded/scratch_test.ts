import assert from "node:assert/strict";
import { Scratch } from "../../../jobs/sharded/scratch.ts";
import { createDisk } from "../../../runtime/disk.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function withScratch(records: number, work: (scratch: Scratch) => Promise<void>) {
  const scratch = await Scratch.open(
    { folder: undefined, disk: createDisk("scratch") },
    records,
    "a",
  );
  try {
    await work(scratch);
  } finally {
    scratch.close();
  }
}

const text = async (scratch: Scratch, record: number) => {
  const line = await scratch.read(record);
  return line && decoder.decode(line);
};

/** Lines of many lengths, around those that what is kept is cut at. */
const lengths = [0, 1, 11, 12, 13, 15, 16, 17, 28, 100_000, 262_140, 262_144, 262_150, 900_000];

for (const [order, sorted] of Object.entries({ "in order": 1, "backwards": -1 })) {
  Deno.test(`lines of any length are read as they were added, ${order}`, () =>
    withScratch(lengths.length, async (scratch) => {
      const lines = lengths.map((length, at) => String.fromCharCode(97 + at).repeat(length));
      const numbers = lines.map((_, at) => at + 1);
      if (sorted < 0) numbers.reverse();
      for (const number of numbers) {
        await scratch.add(number, encoder.encode(lines[number - 1]));
      }
      await scratch.flush();
      assert.equal(scratch.found, lengths.length);
      for (const [at, line] of lines.entries()) assert.equal(await text(scratch, at + 1), line);
      for (const [at, line] of [...lines.entries()].reverse()) {
        assert.equal(await text(scratch, at + 1), line);
      }
    }));
}

Deno.test("the first line of a record counts, and numbers of no record are passed over", () =>
  withScratch(3, async (scratch) => {
    for (const [number, line] of [[2, "first"], [2, "second"], [0, "x"], [4, "y"], [-1, "z"]]) {
      await scratch.add(Number(number), encoder.encode(String(line)));
    }
    await scratch.flush();
    assert.deepEqual([scratch.found, scratch.repeated], [1, 1]);
    assert.deepEqual([1, 2, 3].map((n) => scratch.isRepeated(n)), [false, true, false]);
    const read = [];
    for (const number of [0, 1, 2, 3, 4]) read.push(await text(scratch, number));
    assert.deepEqual(read, [undefined, undefined, "first", undefined, undefined]);
  }));

Deno.test("many lines come back whole, in any order", () =>
  withScratch(20_000, async (scratch) => {
    const line = (number: number) => `${number}:${"x".repeat(number % 97)}`;
    const order = Array.from({ length: 20_000 }, (_, at) => (at * 7_919) % 20_000 + 1);
    for (const number of order) await scratch.add(number, encoder.encode(line(number)));
    await scratch.flush();
    for (let number = 1; number <= 20_000; number++) {
      assert.equal(await text(scratch, number), line(number));
    }
  }));
