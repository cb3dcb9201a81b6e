import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { clientTest, rcloneClient } from "./tools.ts";
import {
  assertInParts,
  awsEnvironment,
  bytesOf,
  digestsIn,
  fail,
  holders,
  notGivenBack,
  samples,
  succeed,
  withWorld,
  writeSamples,
} from "./world.ts";

const client = await rcloneClient();

/** Settings of the remote `gw`, and what keeps rclone from asking again for minutes. */
const settings = (endpoint: string) => ({
  ...awsEnvironment,
  RCLONE_CONFIG: "/dev/null",
  RCLONE_CONFIG_GW_TYPE: "s3",
  RCLONE_CONFIG_GW_PROVIDER: "Other",
  RCLONE_CONFIG_GW_ENV_AUTH: "true",
  RCLONE_CONFIG_GW_REGION: "us-west-2",
  RCLONE_CONFIG_GW_ENDPOINT: endpoint,
  // In parts from 5 MiB on, which the largest sample has a byte more than.
  RCLONE_S3_UPLOAD_CUTOFF: "5Mi",
  RCLONE_S3_CHUNK_SIZE: "5Mi",
  RCLONE_RETRIES: "1",
  RCLONE_LOW_LEVEL_RETRIES: "1",
});

/** Size and name of each line that `ls` prints. */
function listed(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^ *([0-9]+) (.*)$/gm)];
  return Object.fromEntries(lines.map(([, size, key]) => [key, Number(size)]));
}

for (const { provider, bucket, reads } of holders) {
  clientTest(
    client,
    `rclone keeps a folder in a bucket of ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const rclone = (...args: string[]) => run(args, settings(world.endpoint));
        const place = `gw:${bucket}/in`;
        await succeed(rclone("copy", folder, place));
        assertInParts(world);
        assert.deepEqual(listed(await succeed(rclone("ls", place))), samples);
        // ETags are no MD5: sizes are compared.
        await succeed(rclone("check", "--size-only", folder, place));
        const again = await rclone("copy", "-v", folder, place);
        assert.match(again.stderr, /There was nothing to transfer/);

        const back = join(world.folder, "back");
        if (reads) {
          await succeed(rclone("copy", place, back));
          assert.deepEqual(await digestsIn(back), await digestsIn(folder));
          await succeed(rclone("check", "--download", folder, place));
          const text = new TextDecoder().decode(bytesOf(1));
          assert.equal(await succeed(rclone("cat", "--tail", "1", `${place}/one +é.jsonl`)), text);
        } else {
          const text = await fail(rclone("copy", `${place}/one +é.jsonl`, back));
          assert.match(text, notGivenBack);
        }

        await succeed(rclone("moveto", `${place}/one +é.jsonl`, `${place}/to/moved +&.jsonl`));
        const after = listed(await succeed(rclone("ls", place)));
        assert.deepEqual([after["one +é.jsonl"], after["to/moved +&.jsonl"]], [undefined, 1]);

        await succeed(rclone("delete", place));
        assert.equal(await succeed(rclone("ls", `gw:${bucket}`)), "");
        if (provider !== "bedrock") {
          assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
        }
      }),
  );
}
