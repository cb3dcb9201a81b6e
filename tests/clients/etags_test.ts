import assert from "node:assert/strict";
import { runClient, withGateway } from "./session.ts";

const all = '{ "etag": "md5", "buckets": { "id-*": { "etag": "file" } } }';
const one = '{ "buckets": { "md5-bucket": { "etag": "md5" } } }';

for (const [provider, configuration] of [["openai", all], ["gemini", one]] as const) {
  Deno.test(`with "etag": "md5" objects of ${provider} have S3's own ETags, and either form names them`, () =>
    withGateway(async ({ url }) => {
      assert.equal(await runClient("etags.py", [url, provider]), "right");
    }, { configuration }));
}
