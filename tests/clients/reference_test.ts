import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runClient, withGateway } from "./session.ts";

/** The documentation page whose programs must run; it lies beside a checkout, not in it. */
const page = fileURLToPath(
  new URL("../../../shared/reference/bedrock-files-and-batch.txt", import.meta.url),
);
const isThere = await Deno.stat(page).then(() => true, () => false);

interface Run {
  readonly provider: string | null;
  readonly error: string | null;
  readonly printed: string;
}

/** What a program prints when it did its work, in the order of the page. */
const expected: readonly RegExp[] = [
  /^$/,
  /^$/,
  /^$/,
  /^Uploaded file ID: [0-9a-f]{32}\nS3 URI: s3:/,
  /^Key: .*\nSize: [1-9][0-9]* bytes\nLast Modified: 20/,
  /^Content Length: [1-9][0-9]* bytes\nContent Type: .*\nETag \(File ID\): "[0-9a-f]{32}"\n$/,
  /^Deleted file: /,
  /^File content:\n\{"recordId": "request-1"/,
  /^Created batch job: arn:aws:bedrock:us-west-2:[0-9]+:model-invocation-job\/[a-z0-9]{12}\n$/,
  /^Job ARN: arn:aws:bedrock:.*\nJob Name: .*\nStatus: [A-Z]\w+\nModel ID: /,
  /^Job ARN: .*\nJob Name: presupposed\nStatus: Completed\nModel ID: /,
  /^Stopped job: arn:/,
  /Job reached terminal state: Completed\n[^]*Verified job is in list\n[^]*Success! /,
  /Uploaded file ID: file-[^]*Job reached terminal state: Completed\n[^]*Success! /,
  /Uploaded file ID: files\/[^]*Created job: arn:aws:bedrock:[^]*Success! /,
];

Deno.test({
  name: isThere
    ? "the page's fifteen programs run as they stand there, but for the endpoint"
    : "the page's fifteen programs run (left out: the page does not lie beside this checkout)",
  ignore: !isThere,
  fn: () =>
    withGateway(async ({ url }) => {
      const runs = await runClient<Run[]>("reference_programs.py", [page, url], 240);
      assert.deepEqual(runs.map(({ error }) => error).filter((error) => error !== null), []);
      assert.equal(runs.length, expected.length);
      for (const [at, { printed }] of runs.entries()) assert.match(printed, expected[at] ?? /$^/);
      assert.deepEqual(runs.slice(-3).map(({ provider }) => provider), [
        "bedrock",
        "openai",
        "gemini",
      ]);
    }),
});
