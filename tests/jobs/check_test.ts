import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { checkResults } from "../../jobs/results/check.ts";
import type { RecordForm } from "../../providers/provider.ts";

const form: RecordForm = {
  uniqueIds: true,
  idOf: ({ id }) => `${id}`,
  result: ({ id }) => ({ id: `${id}`, outcome: "success" }),
};

Deno.test("large results pass through in blocks, and others have their turns", async () => {
  const records = 20_000;
  const chunkBytes = 64 * 1024;
  let opened = "";
  for (let n = 0; n < records; n++) opened += `{"id":"r${n}","text":"${"x".repeat(200)}"}\n`;
  const bytes = new TextEncoder().encode(opened);
  const hash = createHash("sha256");
  let largest = 0;
  let breaths = 0;
  const check = await checkResults([{
    name: "part",
    open: () =>
      Promise.resolve(ReadableStream.from((function* () {
        for (let at = 0; at < bytes.length; at += chunkBytes) {
          yield bytes.slice(at, at + chunkBytes);
        }
      })())),
  }], {
    form,
    likeness: "id",
    write(block) {
      largest = Math.max(largest, block.length);
      hash.update(block);
      return Promise.resolve();
    },
    breathe() {
      breaths++;
      return Promise.resolve();
    },
  });
  assert.deepEqual([check.records, check.bytes, check.repeated], [records, bytes.length, 0]);
  assert.equal(check.sha256, hash.digest("hex"));
  assert.equal(check.sha256, createHash("sha256").update(bytes).digest("hex"));
  assert.ok(largest <= 256 * 1024 + 2 * chunkBytes, `${largest}`);
  assert.equal(breaths, Math.floor(bytes.length / 2 ** 20));
});

Deno.test("a part that is shorter than its provider told is cut short, also between two records", async () => {
  const part = (bytes: number) => ({
    name: "part",
    bytes,
    open: () => Promise.resolve(new Blob(['{"id":"a"}\n']).stream()),
  });
  const options = {
    form,
    likeness: "id" as const,
    write: () => Promise.resolve(),
    breathe: () => Promise.resolve(),
  };
  assert.equal((await checkResults([part(11)], options)).isCutShort, false);
  assert.equal((await checkResults([part(12)], options)).isCutShort, true);
});
