import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { clientTest, pythonClient, type Run } from "./tools.ts";
import {
  assertInParts,
  bytesOf,
  type ClientWorld,
  credentials,
  digestsIn,
  fail,
  holders,
  samples,
  succeed,
  withWorld,
  writeSamples,
} from "./world.ts";

const client = await pythonClient("s3cmd");

/** Size and key of each line that `ls` prints. */
function listed(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^\S+ \S+ +([0-9]+) +s3:\/\/[^/]+\/(.*)$/gm)];
  return Object.fromEntries(lines.map(([, size, key]) => [key, Number(size)]));
}

/** Runs s3cmd on the root listener: it signs its path without a prefix that the endpoint has. */
function commandsOf(run: Run, { root }: ClientWorld) {
  const { host } = new URL(root);
  const options = [
    "--config=/dev/null",
    `--access_key=${credentials.accessKeyId}`,
    `--secret_key=${credentials.secretAccessKey}`,
    "--region=us-west-2",
    `--host=${host}`,
    `--host-bucket=${host}`,
    "--no-ssl",
    "--no-progress",
    "--max-retries=1",
    "--multipart-chunk-size-mb=5",
  ];
  return (...args: string[]) => run([...options, ...args]);
}

for (const { provider, bucket } of holders.filter(({ reads }) => reads)) {
  clientTest(
    client,
    `s3cmd keeps a folder in a bucket of ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const s3cmd = commandsOf(run, world);
        const place = `s3://${bucket}/in`;
        await succeed(s3cmd("put", "--recursive", `${folder}/`, `${place}/`));
        assertInParts(world);
        assert.deepEqual(
          listed(await succeed(s3cmd("ls", "--recursive", `s3://${bucket}`))),
          Object.fromEntries(Object.entries(samples).map(([name, size]) => [`in/${name}`, size])),
        );
        const info = await succeed(s3cmd("info", `${place}/one +é.jsonl`));
        assert.match(info, /^ +File size: +1$/m);
        assert.match(info, /^ +x-amz-meta-s3cmd-attrs: /m);

        const back = join(world.folder, "back");
        await Deno.mkdir(back);
        await succeed(s3cmd("get", "--recursive", `${place}/`, `${back}/`));
        assert.deepEqual(await digestsIn(back), await digestsIn(folder));

        await succeed(s3cmd("cp", `${place}/one +é.jsonl`, `${place}/copied +&.jsonl`));
        await succeed(s3cmd("mv", `${place}/exact.jsonl`, `${place}/moved.jsonl`));
        const after = listed(await succeed(s3cmd("ls", "--recursive", place)));
        assert.deepEqual(
          [after["in/copied +&.jsonl"], after["in/exact.jsonl"], after["in/moved.jsonl"]],
          [1, undefined, samples["exact.jsonl"]],
        );

        await succeed(s3cmd("del", `${place}/moved.jsonl`));
        await succeed(s3cmd("del", "--recursive", "--force", `s3://${bucket}`));
        assert.equal(await succeed(s3cmd("ls", "--recursive", `s3://${bucket}`)), "");
        if (provider !== "bedrock") {
          assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
        }
      }),
  );
}

for (const { provider, bucket } of holders.filter(({ reads }) => !reads)) {
  // It takes an ETag without a hyphen for an MD5, and this provider's file ids have none.
  clientTest(
    client,
    `s3cmd mistakes the ETags of ${provider} for wrong MD5 sums, and says so`,
    (run) =>
      withWorld(async (world) => {
        const s3cmd = commandsOf(run, world);
        const path = join(world.folder, "a.jsonl");
        await Deno.writeTextFile(path, "{}\n");
        const text = await fail(s3cmd("put", path, `s3://${bucket}/in/a.jsonl`));
        assert.match(text, /MD5 sums of sent and received files don't match/);
        const list = await succeed(s3cmd("ls", "--recursive", `s3://${bucket}`));
        assert.deepEqual(listed(list), { "in/a.jsonl": 3 });
        await succeed(s3cmd("del", `s3://${bucket}/in/a.jsonl`));
        assert.deepEqual(await heldFiles(world.gateway.sandbox, "gemini"), []);
      }),
  );
}

for (const { provider, bucket } of holders) {
  if (provider === "bedrock") continue;
  clientTest(
    client,
    `with "etag": "md5" s3cmd finds what it sent to ${provider} as it sent it`,
    (run) =>
      withWorld(async (world) => {
        const s3cmd = commandsOf(run, world);
        const folder = join(world.folder, "in");
        await Deno.mkdir(folder);
        await Deno.writeTextFile(join(folder, "a.jsonl"), "{}\n");
        await Deno.writeFile(join(folder, "parts.jsonl"), bytesOf(5 * 2 ** 20 + 1));
        await succeed(s3cmd("put", join(folder, "a.jsonl"), `s3://${bucket}/in/a.jsonl`));
        await succeed(s3cmd("sync", `${folder}/`, `s3://${bucket}/in/`));
        assertInParts(world);
        const list = await succeed(s3cmd("ls", "--list-md5", `s3://${bucket}/in/`));
        assert.match(list, / [0-9a-f]{32} +s3:/);
        // Sizes and MD5 sums are compared: nothing is sent again.
        assert.doesNotMatch(
          await succeed(s3cmd("sync", `${folder}/`, `s3://${bucket}/in/`)),
          /upload:/,
        );
        await succeed(s3cmd("del", "--recursive", "--force", `s3://${bucket}`));
        assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
      }, { etag: "md5" }),
  );
}
