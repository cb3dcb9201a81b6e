import assert from "node:assert/strict";
import { type ClientError, runClient, withGateway } from "./session.ts";

interface Seen {
  readonly statuses: readonly string[];
  readonly records: readonly number[];
  readonly keys: readonly string[];
  readonly one: readonly string[];
  readonly gzip: readonly string[];
  readonly missing: ClientError;
}

const configuration = JSON.stringify({ buckets: { "real-*": { provider: "bedrock" } } });

for (const provider of ["openai", "gemini", "anthropic"]) {
  Deno.test(`boto3 keeps its files in S3 itself and asks the gateway for jobs at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const seen = await runClient<Seen>("own_bucket.py", [url, provider, sandbox.s3Url]);
      const ids = seen.one;
      assert.deepEqual(seen.statuses, ["Completed", "Completed"]);
      assert.deepEqual(seen.records, [3, 6]);
      assert.equal(ids.length, 3);
      assert.deepEqual(seen.gzip, ids);
      assert.deepEqual(seen.keys, [
        "out/FOLDER/day=1/a.jsonl.out",
        "out/FOLDER/day=2/b.jsonl.gz.out",
        "out/FOLDER/manifest.json.out",
        "out/ONE/manifest.json.out",
        "out/ONE/one.jsonl.out",
      ]);
      assert.equal(seen.missing.code, "ValidationException");
    }, { configuration, sandbox: { batchSeconds: 0.2 } }));
}
