import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { clientTest, goClient } from "./tools.ts";
import {
  assertInParts,
  bytesOf,
  digestsIn,
  holders,
  notGivenBack,
  samples,
  succeed,
  withWorld,
  writeSamples,
} from "./world.ts";

const client = await goClient("minio");

/** What `go/minio/main.go` prints. */
interface Seen {
  readonly put: Record<string, number>;
  readonly stat: Record<string, number>;
  readonly listed: Record<string, number>;
  readonly sameETag: boolean;
  readonly getErrors: Record<string, string>;
  readonly range: string;
  readonly copied: number;
  readonly removeErrors: readonly string[];
  readonly left: readonly string[];
  readonly missing: string;
}

const sizes = Object.fromEntries(
  Object.entries(samples).map(([name, size]) => [`in/${name}`, size]),
);

for (const { provider, bucket, reads } of holders) {
  clientTest(
    client,
    `minio-go keeps files in a bucket of ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const back = join(world.folder, "back");
        await Deno.mkdir(back);
        const host = new URL(world.root).host;
        const seen: Seen = JSON.parse(await succeed(run([host, bucket, folder, back])));
        assert.deepEqual([seen.put, seen.stat, seen.listed], [sizes, sizes, sizes]);
        assert.equal(seen.sameETag, true);
        assertInParts(world);
        if (reads) {
          assert.deepEqual(seen.getErrors, {});
          assert.deepEqual(await digestsIn(back), await digestsIn(folder));
          const largest = Math.max(...Object.values(samples));
          assert.equal(seen.range, new TextDecoder().decode(bytesOf(largest).subarray(-4)));
        } else {
          const { "in/empty.jsonl": empty, ...refused } = seen.getErrors;
          assert.equal(empty, undefined);
          assert.equal(Object.keys(refused).length, Object.keys(samples).length - 1);
          for (const error of Object.values(refused)) assert.match(error, notGivenBack);
        }
        assert.equal(seen.copied, Math.max(...Object.values(samples)));
        assert.equal(seen.missing, "NoSuchKey");
        assert.deepEqual([seen.removeErrors, seen.left], [[], []]);
        if (provider !== "bedrock") {
          assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
        }
      }),
  );
}
