import assert from "node:assert/strict";
import { runClient, withGateway } from "./session.ts";

interface Seen extends Readonly<Record<string, unknown>> {
  readonly file: string;
  readonly away: string;
  readonly plain: string;
  readonly results: readonly string[];
}

const all = '{ "etag": "md5", "buckets": { "id-*": { "etag": "file" } } }';
const one = '{ "buckets": { "md5-bucket": { "etag": "md5" } } }';

for (const [provider, configuration] of [["openai", all], ["gemini", one]] as const) {
  Deno.test(`with "etag": "md5" objects of ${provider} have S3's own ETags, and either form names them`, () =>
    withGateway(async ({ url }) => {
      const seen = await runClient<Seen>("etags.py", [url, provider]);
      const isId = provider === "openai" ? /^file-/ : /^files\//;
      assert.deepEqual(seen["tag"], [true, true, true]);
      assert.deepEqual(seen["listed"], [true, true]);
      assert.match(seen.file, isId);
      assert.deepEqual(seen["names"], {
        byEtag: "2",
        byKey: "2",
        byLastPart: "2",
        byFile: "1",
        byFileKey: "1",
        own: ["1", "1", "1"],
        wrong: 412,
        unchanged: [304, 304],
        elsewhere: 404,
      });
      assert.deepEqual([seen["parts"], seen["partsHead"]], [true, true]);
      assert.equal(seen["copied"], true);
      for (const id of [seen.away, seen.plain]) assert.match(id, isId);
      assert.deepEqual(seen["plainMetadata"], {});
      assert.equal(seen["refused"], 412);
      assert.deepEqual([seen["survived"], seen["left"]], [true, "1"]);
      assert.deepEqual(seen["jobs"], Array.from({ length: 4 }, () => ["Completed", 3]));
      assert.equal(seen.results.length, 2);
      for (const etag of seen.results) assert.match(etag, /^[0-9a-f]{32}-1$/);
      const { resultHead, resultByTag, resultOlder } = seen;
      assert.deepEqual([resultHead, resultByTag, resultOlder], [true, true, true]);
      assert.deepEqual(seen["resultMetadata"], {});
      assert.equal(seen["resultWrong"], 412);
    }, { configuration }));
}
