import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { clientTest, goClient } from "./tools.ts";
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

const client = await goClient("s5cmd");

/** Size and key of each line that `ls` prints. */
function listed(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^\S+ \S+ +([0-9]+) +(.*)$/gm)];
  return Object.fromEntries(lines.map(([, size, key]) => [key, Number(size)]));
}

for (const { provider, bucket, reads } of holders) {
  clientTest(
    client,
    `s5cmd keeps a folder in a bucket of ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const s5cmd = (...args: string[]) =>
          run(["--endpoint-url", world.endpoint, "--retry-count", "0", ...args], awsEnvironment);
        const place = `s3://${bucket}/in`;
        await succeed(s5cmd("cp", "--part-size", "5", `${folder}/`, `${place}/`));
        assertInParts(world);
        assert.deepEqual(listed(await succeed(s5cmd("ls", `${place}/`))), samples);
        assert.equal(await succeed(s5cmd("sync", "--size-only", `${folder}/`, `${place}/`)), "");

        const back = join(world.folder, "back");
        if (reads) {
          await succeed(s5cmd("cp", `${place}/*`, `${back}/`));
          assert.deepEqual(await digestsIn(back), await digestsIn(folder));
          const text = new TextDecoder().decode(bytesOf(1));
          assert.equal(await succeed(s5cmd("cat", `${place}/one +é.jsonl`)), text);
        } else {
          assert.match(await fail(s5cmd("cp", `${place}/one +é.jsonl`, `${back}/`)), notGivenBack);
        }

        // Its copies write a space in the source's name as a plus, and a plus as %2B.
        await succeed(s5cmd("cp", `${place}/one +é.jsonl`, `${place}/copies/a +b.jsonl`));
        await succeed(s5cmd("mv", `${place}/above & beyond.jsonl`, `${place}/copies/c.jsonl`));
        assert.deepEqual(listed(await succeed(s5cmd("ls", `${place}/copies/`))), {
          "a +b.jsonl": 1,
          "c.jsonl": samples["above & beyond.jsonl"],
        });

        await succeed(s5cmd("rm", `${place}/copies/a +b.jsonl`));
        await succeed(s5cmd("rm", `s3://${bucket}/*`));
        assert.match(await fail(s5cmd("ls", `s3://${bucket}/*`)), /no object found/);
        if (provider !== "bedrock") {
          assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
        }
      }),
  );
}
