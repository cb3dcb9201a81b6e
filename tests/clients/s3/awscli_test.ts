import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { clientTest, pythonClient, type Run } from "./tools.ts";
import {
  assertInParts,
  awsEnvironment,
  bytesOf,
  type ClientWorld,
  digestsIn,
  fail,
  holders,
  notGivenBack,
  samples,
  succeed,
  withWorld,
  writeSamples,
} from "./world.ts";

const client = await pythonClient("aws");

/** One attempt and short waits, so that no repetition hides what went wrong. */
const environment = { ...awsEnvironment, AWS_MAX_ATTEMPTS: "1" };
const options = ["--cli-read-timeout", "20"];

/** In parts from 5 MiB on, which the largest sample has a byte more than. */
const inParts = `[default]
s3 =
  multipart_threshold = 5242881
  multipart_chunksize = 5242880
`;

/** Size and key of each line that `ls` prints. */
function listed(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^\S+ \S+ +([0-9]+) (.*)$/gm)];
  return Object.fromEntries(lines.map(([, size, key]) => [key, Number(size)]));
}

/** Runs `aws s3` against a world, in parts from 5 MiB on. */
async function commandsOf(run: Run, { endpoint, folder }: ClientWorld) {
  const config = join(folder, "config");
  await Deno.writeTextFile(config, inParts);
  const env = { ...environment, AWS_CONFIG_FILE: config };
  return (...args: string[]) => run([...options, "--endpoint-url", endpoint, "s3", ...args], env);
}

const sizesIn = (place: string) =>
  Object.fromEntries(Object.entries(samples).map(([name, size]) => [`${place}/${name}`, size]));

// A command takes a second, most of it for its start: all of them run at one provider only.
clientTest(
  client,
  "awscli keeps a folder in a bucket of openai",
  (run) =>
    withWorld(async (world) => {
      const bucket = "openai-data";
      const folder = await writeSamples(world);
      const aws = await commandsOf(run, world);
      const place = `s3://${bucket}/in`;
      await succeed(aws("cp", "--recursive", folder, place));
      assertInParts(world);
      const list = await succeed(aws("ls", "--recursive", `s3://${bucket}/`));
      assert.deepEqual(listed(list), sizesIn("in"));
      assert.match(await succeed(aws("ls", `s3://${bucket}/`)), /^ +PRE in\/\n$/);

      assert.equal(await succeed(aws("sync", folder, place)), "");
      await Deno.writeFile(join(folder, "one +é.jsonl"), bytesOf(2));
      const synced = await succeed(aws("sync", "--no-progress", folder, place));
      assert.match(synced, /^upload: .*one \+é\.jsonl\n$/);

      const back = join(world.folder, "back");
      await succeed(aws("sync", place, back));
      assert.deepEqual(await digestsIn(back), await digestsIn(folder));
      assert.equal(await succeed(aws("sync", "--exact-timestamps", place, back)), "");
      // A copy in parts asks for the source's tags first.
      const copied = `${place}/copied in parts.jsonl`;
      await succeed(aws("cp", `${place}/above & beyond.jsonl`, copied));

      const moved = `${place}/moved +&.jsonl`;
      await succeed(aws("mv", `${place}/one +é.jsonl`, moved));
      await succeed(aws("cp", moved, `${place}/copied.jsonl`));
      const after = listed(await succeed(aws("ls", "--recursive", place)));
      assert.deepEqual(
        [after["in/one +é.jsonl"], after["in/moved +&.jsonl"], after["in/copied.jsonl"]],
        [undefined, 2, 2],
      );

      await succeed(aws("mb", `s3://${bucket}-new`));
      assert.equal(await succeed(aws("ls", `s3://${bucket}-new`)), "");
      await succeed(aws("rb", `s3://${bucket}-new`));
      assert.match(await fail(aws("rb", `s3://${bucket}`)), /BucketNotEmpty/);

      await succeed(aws("rm", moved));
      await succeed(aws("rm", "--recursive", `s3://${bucket}/`));
      assert.equal((await aws("ls", "--recursive", `s3://${bucket}/`)).stdout, "");
      assert.deepEqual(await heldFiles(world.gateway.sandbox, "openai"), []);
    }),
);

for (const { provider, bucket, reads } of holders.filter(({ provider }) => provider !== "openai")) {
  clientTest(
    client,
    `awscli keeps a folder in a bucket of ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const aws = await commandsOf(run, world);
        const place = `s3://${bucket}/in`;
        await succeed(aws("cp", "--recursive", folder, place));
        assertInParts(world);
        assert.equal(await succeed(aws("sync", folder, place)), "");
        const back = join(world.folder, "back");
        if (reads) {
          await succeed(aws("sync", place, back));
          assert.deepEqual(await digestsIn(back), await digestsIn(folder));
          const copied = `${place}/copied in parts.jsonl`;
          await succeed(aws("cp", `${place}/above & beyond.jsonl`, copied));
        } else {
          assert.match(await fail(aws("cp", `${place}/exact.jsonl`, back)), notGivenBack);
        }
        await succeed(aws("mv", `${place}/one +é.jsonl`, `${place}/moved +&.jsonl`));
        const after = listed(await succeed(aws("ls", "--recursive", place)));
        assert.deepEqual([after["in/one +é.jsonl"], after["in/moved +&.jsonl"]], [undefined, 1]);
        await succeed(aws("rm", "--recursive", `s3://${bucket}/`));
        assert.equal((await aws("ls", "--recursive", `s3://${bucket}/`)).stdout, "");
        if (provider !== "bedrock") {
          assert.deepEqual(await heldFiles(world.gateway.sandbox, provider), []);
        }
      }),
  );
}

clientTest(
  client,
  "a URL that awscli presigned needs nothing else",
  (run) =>
    withWorld(async (world) => {
      const text = new TextDecoder().decode(bytesOf(1_000));
      const path = join(world.folder, "a.jsonl");
      await Deno.writeTextFile(path, text);
      const aws = await commandsOf(run, world);
      const object = "s3://openai-data/in/a b+.jsonl";
      await succeed(aws("cp", path, object));
      const url = (await succeed(aws("presign", object))).trim();
      const answer = await fetch(url);
      assert.deepEqual([answer.status, await answer.text()], [200, text]);
    }),
);

for (const { provider, bucket } of holders.filter(({ provider }) => provider !== "gemini")) {
  // Its botocore waits for 100 Continue, which an empty body does not get.
  clientTest(
    client,
    `awscli goes on after an empty file to ${provider}`,
    (run) =>
      withWorld(async (world) => {
        const config = join(world.folder, "config");
        await Deno.writeTextFile(config, "[default]\ns3 =\n  max_concurrent_requests = 1\n");
        const files = join(world.folder, "files");
        await Deno.mkdir(files);
        for (const [name, length] of [["a", 0], ["b", 10], ["c", 0], ["d", 100_000]] as const) {
          await Deno.writeFile(join(files, name), bytesOf(length));
        }
        const place = ["s3", "cp", "--recursive", files, `s3://${bucket}/in`];
        await succeed(run(["--endpoint-url", world.endpoint, ...options, ...place], {
          ...environment,
          AWS_CONFIG_FILE: config,
        }));
      }),
  );
}
