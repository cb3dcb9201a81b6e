import assert from "node:assert/strict";
import { type ClientError, runClient, withGateway } from "./session.ts";

interface Seen {
  readonly arns: readonly string[];
  readonly statuses: readonly string[];
  readonly listedArns: readonly string[];
  readonly gotArns: readonly string[];
  readonly bareArn: string;
  readonly token: string;
  readonly timeout: number;
  readonly uris: readonly string[];
  readonly echoed: readonly (readonly string[])[];
  readonly lists: Readonly<Record<string, readonly (string | readonly string[])[]>>;
  readonly errors: Readonly<Record<string, ClientError>>;
  readonly tags: readonly Readonly<Record<string, string>>[];
  readonly counts: readonly number[];
}

for (const provider of ["bedrock", "openai", "gemini"]) {
  Deno.test(`boto3 pages, filters, orders and tags jobs at ${provider}`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Seen>("jobs.py", [url, provider]);

      assert.deepEqual(seen.statuses, [...Array(4).fill("Completed"), "Stopped"]);
      assert.deepEqual(seen.gotArns, seen.arns);
      assert.deepEqual(seen.listedArns, seen.arns.toReversed());
      assert.equal(new Set(seen.arns).size, 5);
      assert.equal(seen.bareArn, seen.arns[1]);
      assert.equal(seen.token, "a-token-of-mine");
      assert.equal(seen.timeout, 48);
      assert.deepEqual(seen.echoed, [seen.uris, seen.uris]);
      assert.deepEqual(seen.counts, [3, 3, 3, 0]);

      assert.deepEqual(seen.lists, {
        all: ["red-5", "blue-4", "red-3", "blue-2", "red-1"],
        byTwo: [["red-5", "blue-4"], ["red-3", "blue-2"], ["red-1"]],
        byTwoAscending: [["red-1", "blue-2"], ["red-3", "blue-4"], ["red-5"]],
        descending: ["red-5", "blue-4", "red-3", "blue-2", "red-1"],
        red: ["red-5", "red-3", "red-1"],
        redByOne: [["red-5"], ["red-3"], ["red-1"]],
        completed: ["red-1", "blue-2", "red-3", "blue-4"],
        stopped: ["red-5"],
        failed: [],
        after: ["red-5", "blue-4", "red-3"],
        before: ["blue-2", "red-1"],
        between: ["red-5", "blue-4", "red-3", "blue-2", "red-1"],
        never: [],
        several: ["red-3"],
        limited: ["red-5", "blue-4", "red-3"],
      });

      const codes = Object.entries(seen.errors).map(([name, { code, status }]) => [
        name,
        code,
        status,
      ]);
      assert.deepEqual(codes, [
        ["token", "ValidationException", 400],
        ["unknown", "ResourceNotFoundException", 404],
        ["stopUnknown", "ResourceNotFoundException", 404],
        ["stopOver", "ConflictException", 400],
      ]);
      assert.deepEqual(seen.tags, [
        { colour: "red" },
        { colour: "green", team: "a b" },
        { team: "a b" },
      ]);
    }));
}
