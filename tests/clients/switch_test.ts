/** The switch without a line: programs that only their environment, or their AWS configuration, leads to a gateway. */
import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { sandboxModels } from "../../sandbox/models.ts";
import { nodeProgram } from "../examples/node.ts";
import { type Issued, withKeys } from "../keys.ts";
import { type ProgramResult, runProgram } from "../program.ts";
import { ensurePython } from "../python.ts";
import { clientTest, pythonClient } from "./s3/tools.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const configuration = JSON.stringify({ models: sandboxModels });
const sandbox = { batchSeconds: 0.2 };

/** Variables of every program of these tests; its home has no configuration unless one is written. */
const common = {
  AWS_DEFAULT_REGION: "us-west-2",
  AWS_REGION: "us-west-2",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_MAX_ATTEMPTS: "1",
};

/** The variables that switch a program to a gateway, and no others. */
function switched(url: string, key: Issued): Record<string, string> {
  return {
    ...common,
    AWS_ENDPOINT_URL_S3: `${url}/bedrock/files`,
    AWS_ENDPOINT_URL_BEDROCK: `${url}/bedrock`,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
  };
}

/** What a program printed at its end. Throws where it failed. */
function lastOf({ code, stdout, stderr }: ProgramResult) {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

type Program = (env: Readonly<Record<string, string>>) => Promise<ProgramResult>;
const boto3: Program = async (env) => runProgram(await ensurePython(), [file("switch.py")], env);
const node = await nodeProgram();
const javascript: Program = (env) =>
  runProgram("node", ["--no-warnings", file("switch.mjs")], {
    PATH: Deno.env.get("PATH") ?? "",
    PACKAGES: pathToFileURL(node ?? "/").href,
    ...env,
  });
const javascriptName = (name: string) =>
  node === undefined ? `${name} (ignored: node or npm was not found)` : name;

/** Runs a test with a key for each provider, whose results are translated back. */
function atEach(
  work: (url: string, key: Issued, provider: string) => Promise<void>,
  providers: readonly string[] = ["openai", "gemini", "anthropic"],
) {
  return withKeys(async ({ url }, keys) => {
    for (const provider of providers) {
      const settings = { providers: [provider], defaultProvider: provider };
      await work(url, await keys.add({ tenant: provider, ...settings }), provider);
    }
  }, { configuration, sandbox });
}

async function runsAJob(program: Program) {
  await atEach(async (url, key) => {
    const { results, ...seen } = lastOf(await program(switched(url, key)));
    assert.deepEqual(seen, { status: "Completed", jobs: [true] });
    assert.equal(JSON.parse(results).modelOutput.content[0].text, "2 + 2 = 4");
  });
}

Deno.test("boto3 runs a job at each provider by variables and an issued key only", () =>
  runsAJob(boto3));

Deno.test({
  name: javascriptName(
    "the SDK for JavaScript runs a job at each provider by variables and an issued key only",
  ),
  ignore: node === undefined,
  fn: () => runsAJob(javascript),
});

const aws = await pythonClient("aws");

// A command takes a second, most of it for its start: the CLI, which is botocore too, runs at one.
clientTest(
  aws,
  "the AWS CLI runs a job by variables and an issued key only",
  (run) =>
    atEach(async (url, key) => {
      const env = switched(url, key);
      const cli = async (...args: string[]) => {
        const { code, stdout, stderr } = await run(args, env);
        assert.equal(code, 0, stderr);
        return stdout.trim();
      };
      const questions = file("../../examples/compare/questions.jsonl");
      await cli("s3", "cp", "--only-show-errors", questions, "s3://my-bucket/in.jsonl");
      const arn = await cli(
        ...["bedrock", "create-model-invocation-job", "--job-name", "switched"],
        ...["--model-id", "anthropic.claude-3-haiku-20240307-v1:0"],
        ...["--role-arn", "arn:aws:iam::123456789012:role/BatchRole"],
        ...["--input-data-config", "s3InputDataConfig={s3Uri=s3://my-bucket/in.jsonl}"],
        ...["--output-data-config", "s3OutputDataConfig={s3Uri=s3://my-bucket/out/}"],
        ...["--query", "jobArn", "--output", "text"],
      );
      const get = ["bedrock", "get-model-invocation-job", "--job-identifier", arn];
      let status = "";
      for (let asked = 0; asked < 100 && status !== "Completed"; asked++) {
        status = await cli(...get, "--query", "status", "--output", "text");
        assert.match(status, /^(?:Submitted|Validating|Scheduled|InProgress|Completed)$/);
      }
      const list = JSON.parse(await cli("bedrock", "list-model-invocation-jobs"));
      assert.deepEqual(
        list.invocationJobSummaries.map((one: { jobArn: string }) => one.jobArn),
        [arn],
      );
      const results = `s3://my-bucket/out/${arn.split("/").at(-1)}/in.jsonl.out`;
      const lines = (await cli("s3", "cp", "--only-show-errors", results, "-")).split("\n");
      const ids = lines.map((line) => JSON.parse(line).recordId);
      assert.deepEqual(ids.sort(), ["capital", "colour", "sum"]);
    }, ["gemini"]),
);

/** A home with a configuration of AWS's and credentials; profiles by name. */
async function withHome(
  config: string,
  { accessKeyId, secretAccessKey }: Omit<Issued, "bearerToken">,
  work: (env: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-home-" });
  try {
    await Deno.writeTextFile(`${folder}/config`, config);
    const secrets = [
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
    ];
    const credentials = ["default", "gateway"].map((name) => [`[${name}]`, ...secrets].join("\n"));
    await Deno.writeTextFile(`${folder}/credentials`, `${credentials.join("\n")}\n`);
    await work({
      AWS_CONFIG_FILE: `${folder}/config`,
      AWS_SHARED_CREDENTIALS_FILE: `${folder}/credentials`,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_MAX_ATTEMPTS: "1",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The configuration that docs/switch.md shows, for a gateway. */
async function shownConfig(url: string): Promise<string> {
  const page = await Deno.readTextFile(file("../../docs/switch.md"));
  const [, text = ""] = /^```ini\n(.*?)^```/ms.exec(page) ?? [];
  return text.replaceAll("http://127.0.0.1:8080", url);
}

const anyKey = { accessKeyId: "any", secretAccessKey: "any" };
const profile = { AWS_PROFILE: "gateway" };
/** Nothing listens there: a client that is not led to the gateway goes nowhere else either. */
const nowhere = { HTTPS_PROXY: "http://127.0.0.1:1" };

Deno.test("the section services of AWS's configuration leads boto3, the CLI and JavaScript to a gateway", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ providers: ["gemini"], defaultProvider: "gemini" });
    await withHome(await shownConfig(url), key, async (env) => {
      const programs = node === undefined ? [boto3] : [boto3, javascript];
      for (const program of programs) {
        assert.equal(lastOf(await program({ ...env, ...profile })).status, "Completed");
      }
      if (aws.state === "missing") return;
      const list = ["bedrock", "list-model-invocation-jobs"];
      const seen = await runProgram(aws.path, list, { ...env, ...profile });
      assert.equal(lastOfAll(seen).invocationJobSummaries.length, programs.length);
    });
  }, { configuration, sandbox }));

/** All that a program printed, as JSON. */
function lastOfAll({ code, stdout, stderr }: ProgramResult) {
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("endpoints of the environment win over the file, and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS sets both aside", () =>
  withHome(
    "[profile gateway]\nregion = us-west-2\nendpoint_url = http://127.0.0.1:1/file\n" +
      "[default]\nregion = us-west-2\n",
    anyKey,
    async (home) => {
      const own = {
        s3: "https://s3.us-west-2.amazonaws.com",
        bedrock: "https://bedrock.us-west-2",
      };
      const inFile = { s3: "http://127.0.0.1:1/file", bedrock: "http://127.0.0.1:1/file" };
      const s3 = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1/s3" };
      const all = { AWS_ENDPOINT_URL: "http://127.0.0.1:1/all" };
      const ignore = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
      for (
        const [env, expected] of [
          [{}, own],
          [profile, inFile],
          [{ ...profile, ...s3 }, { ...inFile, s3: "http://127.0.0.1:1/s3" }],
          [{ ...profile, ...all, ...s3 }, {
            s3: "http://127.0.0.1:1/s3",
            bedrock: all.AWS_ENDPOINT_URL,
          }],
          [{ ...profile, ...all, ...s3, ...ignore }, own],
        ] as const
      ) {
        for (const program of node === undefined ? [boto3] : [boto3, javascript]) {
          const seen = lastOf(await program({ ...home, ...env, ONLY: "endpoints" }));
          const shown = JSON.stringify({ env, seen });
          for (const name of ["s3", "bedrock"] as const) {
            const isOwn = expected[name].startsWith("https:");
            if (isOwn) assert.match(seen[name], /^https:.*\.us-west-2\.amazonaws\.com/, shown);
            else assert.ok(seen[name].startsWith(expected[name]), shown);
          }
        }
        if (aws.state === "missing") continue;
        const list = ["bedrock", "list-model-invocation-jobs"];
        const { stderr } = await runProgram(aws.path, list, { ...home, ...env, ...nowhere });
        assert.ok(stderr.includes(expected.bedrock) || /proxy/i.test(stderr), stderr);
      }
    },
  ));

Deno.test("AWS_ENDPOINT_URL by itself leads Bedrock to a gateway, and S3 to a sentence that has its own endpoint", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ providers: ["openai"], defaultProvider: "openai" });
    const { AWS_ENDPOINT_URL_S3: _, AWS_ENDPOINT_URL_BEDROCK, ...rest } = switched(url, key);
    const env = { ...rest, AWS_ENDPOINT_URL: AWS_ENDPOINT_URL_BEDROCK ?? "" };
    for (const program of node === undefined ? [boto3] : [boto3, javascript]) {
      const { code, stderr } = await program(env);
      assert.notEqual(code, 0);
      assert.match(stderr, new RegExp(`InvalidRequest.*${url}/bedrock/files`, "s"));
      // With S3's own variable beside it all works.
      const both = { ...env, AWS_ENDPOINT_URL_S3: `${url}/bedrock/files` };
      assert.equal(lastOf(await program(both)).status, "Completed");
    }
  }, { configuration, sandbox }));

Deno.test("a bearer token in the place of a signature leads to the jobs of its key", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ providers: ["openai"], defaultProvider: "openai" });
    // The wrong secret shows that the token is what is taken.
    const env = {
      ...switched(url, { ...key, secretAccessKey: "wrong" }),
      AWS_BEARER_TOKEN_BEDROCK: key.bearerToken,
    };
    if (aws.state === "ready") {
      const seen = await runProgram(aws.path, ["bedrock", "list-model-invocation-jobs"], env);
      assert.deepEqual(lastOfAll(seen), { invocationJobSummaries: [] });
    }
    const { stderr } = await boto3({ ...env, AWS_SECRET_ACCESS_KEY: key.secretAccessKey });
    assert.match(stderr, /requires an HTTPS endpoint/);
    if (node === undefined) return;
    const bearerAndKey = { ...env, AWS_SECRET_ACCESS_KEY: key.secretAccessKey };
    assert.equal(lastOf(await javascript(bearerAndKey)).status, "Completed");
  }, { configuration, sandbox }));

Deno.test({
  name: javascriptName("JavaScript puts the bucket in the path for an address, and before a name"),
  ignore: node === undefined,
  async fn() {
    for (
      const [host, expected] of [
        ["127.0.0.1:8080", "http://127.0.0.1:8080/bedrock/files/my-bucket"],
        ["[::1]:8080", "http://[::1]:8080/bedrock/files/my-bucket"],
        ["localhost:8080", "http://my-bucket.localhost:8080/bedrock/files"],
        ["gateway.internal", "http://my-bucket.gateway.internal/bedrock/files"],
      ] as const
    ) {
      const env = {
        ...switched(`http://${host}`, { ...anyKey, bearerToken: "" }),
        ONLY: "endpoints",
      };
      assert.equal(lastOf(await javascript(env)).s3, expected);
    }
  },
});
