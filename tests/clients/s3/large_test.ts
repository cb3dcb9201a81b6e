/** Many MiB, in parts that overlap on their way in and ranges that overlap on their way out. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { clientTest, goClient, pythonClient } from "./tools.ts";
import {
  awsEnvironment,
  bytesOf,
  type ClientWorld,
  fail,
  holders,
  notGivenBack,
  succeed,
  withWorld,
} from "./world.ts";

const mebibyte = 2 ** 20;

const aws = await pythonClient("aws");
const s5cmd = await goClient("s5cmd");

const s5cmdOptions = (
  { endpoint }: ClientWorld,
) => ["--endpoint-url", endpoint, "--retry-count", "0"];

/** What comes before a client's own `cp` and `ls`: one attempt, against this gateway. */
const clients = {
  openai: {
    name: "awscli",
    mebibytes: 40,
    send: [],
    client: aws,
    options: ({ endpoint }: ClientWorld) => ["--endpoint-url", endpoint, "s3"],
  },
  gemini: {
    name: "s5cmd",
    mebibytes: 24,
    // Its own parts are of 50 MiB.
    send: ["--part-size", "5"],
    client: s5cmd,
    options: s5cmdOptions,
  },
  bedrock: {
    name: "s5cmd",
    mebibytes: 100,
    send: [],
    client: s5cmd,
    options: s5cmdOptions,
  },
};

/** Writes a file a mebibyte at a time; its digest. */
async function writeLarge(path: string, length: number): Promise<string> {
  using file = await Deno.open(path, { write: true, create: true });
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= mebibyte) {
    const bytes = bytesOf(mebibyte + left % 1_000).subarray(0, Math.min(left, mebibyte));
    hash.update(bytes);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
  return hash.digest("hex");
}

/** The digest of a file, read piece by piece. */
async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of (await Deno.open(path)).readable) hash.update(bytes);
  return hash.digest("hex");
}

for (const { provider, bucket, reads } of holders) {
  const { name, client, options, mebibytes, send } = clients[provider];
  clientTest(
    client,
    `${name} moves ${mebibytes} MiB to ${provider}${reads ? " and back" : ""}`,
    (run) =>
      withWorld(async (world) => {
        const environment = { ...awsEnvironment, AWS_MAX_ATTEMPTS: "1" };
        const cli = (...args: string[]) => run([...options(world), ...args], environment);
        const path = join(world.folder, "large");
        const length = mebibytes * mebibyte + 1;
        const digest = await writeLarge(path, length);
        const object = `s3://${bucket}/in/large +&.jsonl`;
        await succeed(cli("cp", ...send, path, object));
        assert.match(await succeed(cli("ls", `s3://${bucket}/in/`)), new RegExp(` ${length} `));
        const back = join(world.folder, "back");
        if (reads) {
          await succeed(cli("cp", object, back));
          assert.equal(await digestOfFile(back), digest);
        } else assert.match(await fail(cli("cp", object, back)), notGivenBack);
        await succeed(cli("rm", object));
      }),
  );
}
