/** Clients that check ETags and hashes are content with objects that the gateway keeps. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { heldFiles } from "../session.ts";
import { type Client, clientTest, pythonClient, rcloneClient, type Run } from "./tools.ts";
import {
  awsEnvironment,
  type ClientWorld,
  credentials,
  digestsIn,
  samples,
  succeed,
  withWorld,
  writeSamples,
} from "./world.ts";

const bucket = "gemini-data";
const local = "./back";

/** How a client moves a folder there and back, and what it says where nothing is left to do. */
interface Mover {
  readonly name: string;
  readonly client: Client;
  up(run: Run, world: ClientWorld, folder: string): ReturnType<Run>;
  down(run: Run, world: ClientWorld, folder: string): ReturnType<Run>;
  /** What a second run of `up` says of the samples that it sends again. */
  readonly sent: RegExp;
}

function rclone({ endpoint }: ClientWorld) {
  return {
    ...awsEnvironment,
    RCLONE_CONFIG: "/dev/null",
    RCLONE_CONFIG_GW_TYPE: "s3",
    RCLONE_CONFIG_GW_PROVIDER: "Other",
    RCLONE_CONFIG_GW_ENV_AUTH: "true",
    RCLONE_CONFIG_GW_REGION: "us-west-2",
    RCLONE_CONFIG_GW_ENDPOINT: endpoint,
    RCLONE_S3_UPLOAD_CUTOFF: "5Mi",
    RCLONE_S3_CHUNK_SIZE: "5Mi",
    RCLONE_RETRIES: "1",
  };
}

function s3cmd({ root }: ClientWorld): string[] {
  const { host } = new URL(root);
  return [
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
}

const aws = (
  { endpoint }: ClientWorld,
) => ["--endpoint-url", endpoint, "s3", "sync", "--no-progress"];

const movers: readonly Mover[] = [
  {
    name: "rclone, which compares hashes,",
    client: await rcloneClient(),
    up: (run, world, folder) =>
      run(["copy", "-v", "--checksum", folder, `gw:${bucket}/in`], rclone(world)),
    down: (run, world, folder) => run(["copy", `gw:${bucket}/in`, folder], rclone(world)),
    sent: /: Copied/,
  },
  {
    name: "s3cmd, which compares MD5 sums,",
    client: await pythonClient("s3cmd"),
    up: (run, world, folder) =>
      run([...s3cmd(world), "sync", `${folder}/`, `s3://${bucket}/in/`], {}),
    down: (run, world, folder) =>
      run([...s3cmd(world), "sync", `s3://${bucket}/in/`, `${folder}/`], {}),
    sent: /^upload:/m,
  },
  {
    name: "aws s3 sync",
    client: await pythonClient("aws"),
    up: (run, world, folder) => run([...aws(world), folder, `s3://${bucket}/in`], awsEnvironment),
    down: (run, world, folder) => run([...aws(world), `s3://${bucket}/in`, folder], awsEnvironment),
    sent: /^upload:/m,
  },
];

for (const { name, client, up, down, sent } of movers) {
  clientTest(
    client,
    `${name} keeps a folder of any bytes at a provider that could use none of it`,
    (run) =>
      withWorld(async (world) => {
        const folder = await writeSamples(world);
        const first = await up(run, world, folder);
        assert.equal(first.code, 0, first.stderr);
        assert.match(first.stdout + first.stderr, sent);
        assert.doesNotMatch(first.stdout + first.stderr, /MD5 Sums don't match|hash differ/i);
        const again = await up(run, world, folder);
        assert.equal(again.code, 0, again.stderr);
        assert.doesNotMatch(again.stdout + again.stderr, sent);
        const back = join(world.folder, local);
        await Deno.mkdir(back);
        await succeed(down(run, world, back));
        assert.deepEqual(await digestsIn(back), await digestsIn(folder));
        assert.equal(Object.keys(await digestsIn(back)).length, Object.keys(samples).length);
        assert.deepEqual(await heldFiles(world.gateway.sandbox, "gemini"), []);
      }, { objects: {} }),
  );
}
