/** The README and the pages of docs/: what they name is there, and the README's commands work. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseConfig } from "../config/config.ts";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { startSandbox } from "../sandbox/server.ts";
import { readBlocks } from "./docs/blocks.ts";
import { proofs } from "./docs/proofs.ts";
import { spawnGateway } from "./gateway.ts";
import { runProgram } from "./program.ts";
import { ensurePython } from "./python.ts";

const root = new URL("../", import.meta.url);
const readme = await Deno.readTextFile(new URL("README.md", root));
const { tasks, version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
  tasks: Readonly<Record<string, unknown>>;
  version: string;
};
/** The file that the package's own test installs (tests/packages). */
const wheel = `batchway-${version}-py3-none-any.whl`;

/** Commands of the README's shell blocks, without comments, each on one line. */
const commands = blocks("sh").flatMap((block) =>
  block.replaceAll("\\\n", " ").split("\n").map((line) => line.replace(/\s+#\s.*$/, "").trim())
).filter((line) => line !== "");

/** Text of the README's blocks in a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))]
    .map(([, text = ""]) => text);
}

/** Name of the task that a command runs, and its arguments; undefined for other commands. */
function taskOf(command: string): { name: string; args: string[] } | undefined {
  // Each command of the program is a task of the same name (tests/batchway_test.ts).
  const task = /^(?:(?:npx --yes deno@[\d.]+|deno) task|batchway) (\S+)(.*)$/;
  const [, name, rest = ""] = task.exec(command) ?? [];
  return name === undefined ? undefined : { name, args: rest.split(" ").filter((word) => word) };
}

/** Runs a task in a folder, with only these variables. */
async function runTask(
  { name, args }: { name: string; args: readonly string[] },
  folder: string,
  environment: Readonly<Record<string, string>> = {},
) {
  const config = fileURLToPath(new URL("deno.json", root));
  return await runProgram(Deno.execPath(), [
    "task",
    "--quiet",
    "--config",
    config,
    "--cwd",
    fileURLToPath(root),
    name,
    ...args,
  ], {
    HOME: Deno.env.get("HOME") ?? folder,
    PATH: Deno.env.get("PATH") ?? "",
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    NO_COLOR: "1",
    ...environment,
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-readme-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the README's commands are tasks that exist, with options that their help names", async () => {
  const named = new Set<string>();
  await inFolder(async (folder) => {
    for (const command of commands) {
      const task = taskOf(command);
      if (!task) {
        assert.match(command, new RegExp(`^export [A-Z0-9_]+=\\S+$|^pip install dist/${wheel}$`));
        continue;
      }
      assert.ok(task.name in tasks, `there is no task ${task.name}: ${command}`);
      named.add(task.name);
      const options = task.args.filter((word) => word.startsWith("--"));
      if (options.length === 0) continue;
      const { code, stdout } = await runTask({ name: task.name, args: ["--help"] }, folder);
      assert.equal(code, 0);
      for (const option of options) assert.ok(stdout.includes(option), `${option} in: ${command}`);
    }
  });
  assert.deepEqual([...named].sort(), ["check", "keys", "sandbox", "start", "translate", "wheel"]);
});

Deno.test("the README's variables are those that the gateway and boto3 read", async () => {
  const page = await Deno.readTextFile(new URL("docs/configuration.md", root));
  const ofAws = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  for (const command of commands) {
    const [, name] = /^export ([A-Z0-9_]+)=/.exec(command) ?? [];
    if (name === undefined || ofAws.includes(name)) continue;
    assert.ok(page.includes(`\`${name}\``), `docs/configuration.md does not name ${name}`);
  }
});

Deno.test("the README's translation writes lines of the target and a report", async () => {
  const command = commands.map(taskOf).find((task) => task?.name === "translate");
  assert.ok(command);
  await inFolder(async (folder) => {
    const files = /^[^-].*\.(?:jsonl|ndjson)$/;
    const args = command.args.map((word) => files.test(word) ? `${folder}/${word}` : word);
    const record = {
      recordId: "a",
      modelInput: {
        messages: [{ role: "user", content: [{ text: "What is 2 + 2?" }] }],
        additionalModelRequestFields: { top_k: 5 },
      },
    };
    await Deno.writeTextFile(`${folder}/input.jsonl`, JSON.stringify(record));
    const { code, stderr } = await runTask({ name: "translate", args }, folder);
    assert.equal(code, 0, stderr);
    const line = JSON.parse(await Deno.readTextFile(`${folder}/openai.jsonl`));
    assert.equal(line.custom_id, "a");
    assert.equal(line.body.model, "gpt-4o-mini");
    const loss = JSON.parse(await Deno.readTextFile(`${folder}/losses.ndjson`));
    assert.equal(loss.path, "modelInput.additionalModelRequestFields.top_k");
  });
});

const plainProgram = `
import boto3
s3 = boto3.client("s3", region_name="us-west-2")
bedrock = boto3.client("bedrock", region_name="us-west-2")
`;

const use = `
s3.put_object(Bucket="my-bucket", Key="k.jsonl", Body=b'{"custom_id":"a","method":"POST",'
    b'"url":"/v1/chat/completions","body":{"model":"gpt-4o-mini","messages":[]}}')
print(s3.head_object(Bucket="my-bucket", Key="k.jsonl")["ETag"])
print(bedrock.list_model_invocation_jobs()["invocationJobSummaries"])
`;

Deno.test("the README's switches, by variables and by a header, lead a program to openai", async () => {
  await using sandbox = await openSandbox();
  await inFolder(async (folder) => {
    const variables = { ...sandboxEnvironment(sandbox.running), BATCHWAY_DATA: folder };
    const add = commands.map(taskOf).find((task) => task?.name === "keys");
    assert.ok(add);
    const issued = await runTask({ ...add, args: [...add.args, "--json"] }, folder, variables);
    assert.equal(issued.code, 0, issued.stderr);
    const { accessKeyId, secretAccessKey } = JSON.parse(issued.stdout);
    const gateway = await spawnGateway(variables);
    try {
      const atGateway = (text: string) => text.replaceAll("http://127.0.0.1:8080", gateway.url);
      const key = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const endpoints = Object.fromEntries(
        commands.flatMap((command) => {
          const [, name = "", value = ""] = /^export (AWS_ENDPOINT\w+)=(.*)$/.exec(command) ?? [];
          return name === "" ? [] : [[name, atGateway(value)]];
        }),
      );
      assert.deepEqual(Object.keys(endpoints), [
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_BEDROCK",
      ]);
      const [inCode = ""] = blocks("python");
      for (const [program, more] of [[plainProgram, endpoints], [atGateway(inCode), {}]] as const) {
        const environment = { ...key, ...more, AWS_EC2_METADATA_DISABLED: "true" };
        const ran = await runProgram(await ensurePython(), ["-c", program + use], environment);
        assert.equal(ran.code, 0, ran.stderr);
        assert.match(ran.stdout, /^"file-\w+"\n\[\]\n$/);
      }
    } finally {
      await gateway.stop();
    }
  });
});

async function openSandbox() {
  const running = await startSandbox({ batchSeconds: 1 });
  return { running, [Symbol.asyncDispose]: () => running.close() };
}

Deno.test("the configuration that docs show is taken as it is", async () => {
  const page = await Deno.readTextFile(new URL("docs/configuration.md", root));
  const [, text = ""] = /^```jsonc\n(.*?)^```/ms.exec(page) ?? [];
  const keys = Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, "sk-any"]),
  );
  const aws = { AWS_ACCESS_KEY_ID: "any", AWS_SECRET_ACCESS_KEY: "any" };
  const hook = { HOOK_SECRET: `whsec_${btoa("x".repeat(32))}` };
  const config = await parseConfig({ ...keys, ...aws, ...hook }, text, "batchway.jsonc");
  assert.deepEqual(config.providers.map(({ name }) => name), ["openai", "groq", "bedrock"]);
  assert.deepEqual(config.notes, []);
});

Deno.test("links and paths of files that the pages name lead to files", async () => {
  const pages = ["README.md", "CONTRIBUTING.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  const missing: string[] = [];
  for (const page of pages) {
    const url = new URL(page, root);
    const text = await Deno.readTextFile(url);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
      .map(([, link = ""]) => new URL(link, url));
    const paths = [...text.matchAll(/`((?:[a-z_]+\/)+[a-z0-9_]+\.(?:ts|md|json|py|conf|sh))`/g)]
      .map(([, path = ""]) => new URL(path, root));
    for (const target of [...links, ...paths]) {
      if (!await isThere(target)) missing.push(`${page}: ${fileURLToPath(target)}`);
    }
  }
  assert.deepEqual(missing, []);
});

Deno.test("the list of pages names each page", async () => {
  const list = await Deno.readTextFile(new URL("docs/README.md", root));
  for await (const { name } of Deno.readDir(new URL("docs/", root))) {
    if (!name.endsWith(".md") || name === "README.md") continue;
    assert.ok(list.includes(`](${name})`), `docs/README.md does not name ${name}`);
  }
});

async function isThere(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("every block of code in the README and the pages is run, or it is said why not", async () => {
  const blocks = await readBlocks();
  const names = blocks.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => !Object.hasOwn(proofs, name)),
    [],
    "add a row to tests/docs/proofs.ts",
  );
  assert.deepEqual(
    Object.keys(proofs).filter((name) => !names.includes(name)),
    [],
    "take its row out of tests/docs/proofs.ts",
  );
  for (const [name, proof] of Object.entries(proofs)) {
    if (typeof proof !== "object" || !("by" in proof)) continue;
    const text = await Deno.readTextFile(new URL(`../${proof.by}`, import.meta.url));
    assert.ok(text.includes("Deno.test") || text.includes("test("), `${name}: ${proof.by}`);
  }
});
