import assert from "node:assert/strict";
import { runClient, withGateway } from "./session.ts";

const mib = 2 ** 20;
const program = (url: string, scenario: string) =>
  runClient<Record<string, unknown>>("parts_read.py", [url, "openai", scenario], 180);

for (const [algorithm, type] of [["SHA256", "COMPOSITE"], ["CRC32", "FULL_OBJECT"]] as const) {
  Deno.test(`each part that was uploaded is read by its number, with its own ${algorithm}`, () =>
    withGateway(async ({ url }) => {
      const right = [true, true, true, true];
      assert.deepEqual(await program(url, algorithm), {
        right: Object.fromEntries(
          [algorithm, "copy"].flatMap((key) => [2, 3, 9].map((part) => [`${key} ${part}`, right])),
        ),
        whole: [10 * mib + 1234, null, type],
        same: true,
        silent: false,
        missing: [400, "InvalidPart"],
      });
    }));
}

Deno.test("an object's attributes list the parts it was uploaded in, in pages", () =>
  withGateway(async ({ url }) => {
    const sizes = [[1, 5 * mib], [2, 5 * mib], [4, 7]];
    assert.deepEqual(await program(url, "attributes"), {
      all: [3, 0, 4, 1000, false, sizes],
      checksums: true,
      first: [3, 0, 2, 2, true, sizes.slice(0, 2)],
      rest: [3, 2, 4, 2, false, sizes.slice(2)],
      beyond: [3, 4, 4, 1000, false, []],
      whole: null,
    });
  }));

Deno.test("an upload of one part has one, be it empty", () =>
  withGateway(async ({ url }) => {
    assert.deepEqual(await program(url, "single"), {
      one: [206, 1, 3, "bytes 0-2/3"],
      none: [200, 1, 0, null],
    });
  }));
