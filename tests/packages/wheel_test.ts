/** The Python package: installed from its file into an empty environment, and used as people use it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { commands } from "../../batchway.ts";
import { fixedFlags } from "../../config/permissions.ts";
import project from "../../deno.json" with { type: "json" };
import { makeWheel } from "../../packages/wheel.ts";
import { attempt, runProgram, say } from "../program.ts";
import { ensurePython } from "../python.ts";

const folder = await Deno.makeTempDir({ prefix: "batchway-wheel-" });
const venv = `${folder}/venv`;
const built = await makeWheel();
const reason = await install();
if (reason !== undefined) say(`Tests of the Python package are ignored: ${reason}`);

/** What the program may see: a home that cannot be written to, and so no cache. */
const environment = { HOME: "/proc/home", NO_COLOR: "1" };

/** Installs the wheel into a new virtual environment; returns why that cannot be, if it cannot. */
async function install(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "they send signals, which Windows does not have";
  const python = await ensurePython();
  await Deno.writeFile(`${folder}/${built.name}`, built.bytes);
  // A project that the package lies in is not its own.
  await Deno.writeTextFile(`${folder}/deno.json`, "{ not JSON");
  await Deno.writeTextFile(`${folder}/package.json`, "{ not JSON");
  await attempt(python, ["-m", "venv", "--without-pip", venv]);
  const pinned = fileURLToPath(new URL("../requirements.txt", import.meta.url));
  const pip = ["-m", "pip", "--python", `${venv}/bin/python`, "install", "--quiet", "--no-input"];
  const installed = await attempt(python, [
    ...pip,
    ...["--disable-pip-version-check", "--constraint", pinned],
    ...[`${folder}/${built.name}`, "boto3"],
  ]);
  if (installed?.code === 0) return undefined;
  const why = installed?.stderr ?? "";
  // A wheel that pip refuses is a failure; a package index that is out of reach is not.
  if (!/No matching distribution found for (?:deno|boto3|botocore)\b/.test(why)) {
    throw new Error(`The wheel cannot be installed: ${why}`);
  }
  return "deno cannot be installed from a package index";
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: reason !== undefined, fn: body });
}

const batchway = (...args: string[]) =>
  runProgram(`${venv}/bin/batchway`, args, { ...environment, OPENAI_API_KEY: "sk-any" });

/** Every file of the environment with its time of change. */
async function snapshot(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const path = `${root}/${name}`;
    if (isDirectory) found.push(...await snapshot(path));
    else found.push(`${path} ${(await Deno.lstat(path)).mtime?.getTime()}`);
  }
  return found.sort();
}

Deno.test("the same sources give the same wheel, and its record holds every file's digest", async () => {
  const again = await makeWheel();
  assert.equal(again.name, `batchway-${project.version}-py3-none-any.whl`);
  assert.deepEqual(digest(again.bytes), digest(built.bytes));
  const check = `
import base64, csv, hashlib, io, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
assert wheel.testzip() is None
record = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(record).decode()))}
assert sorted(rows) == sorted(wheel.namelist()), (rows.keys(), wheel.namelist())
for name, (digest, size) in rows.items():
    if name == record:
        assert (digest, size) == ("", "")
        continue
    data = wheel.read(name)
    wanted = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    assert digest == "sha256=" + wanted and int(size) == len(data), name
assert "batchway/py.typed" in rows
licenses = next(name for name in rows if name.endswith("/licenses/THIRD-PARTY.txt"))
for name in ("hono 4", "undici 8", "@aws-sdk/credential-providers 3", "Permission is hereby granted"):
    assert name in wheel.read(licenses).decode(), name
print(len(rows))
`;
  await Deno.writeFile(`${folder}/${built.name}`, built.bytes);
  const python = await ensurePython();
  const checked = await runProgram(python, ["-c", check, `${folder}/${built.name}`]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.ok(Number(checked.stdout) > 8, checked.stdout);
  assert.equal(
    (await runProgram(python, ["-m", "zipfile", "-t", `${folder}/${built.name}`])).code,
    0,
  );
});

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

Deno.test("a launcher knows the flags of every command, or that it is to ask for them", () => {
  const known = fixedFlags().commands;
  for (const [name, { about }] of Object.entries(commands)) {
    if (about !== undefined) assert.ok(name in known, `${name} has no row in commandFlags`);
  }
  assert.equal(known.start, null);
  assert.ok(known.sandbox.includes("--allow-net"));
});

test("the program and python -m batchway run from an installation that nothing writes to", async () => {
  const before = await snapshot(venv);
  const version = await batchway("version");
  assert.match(
    version.stdout,
    new RegExp(`^batchway ${project.version} \\(deno ${Deno.version.deno}\\)`),
  );
  assert.deepEqual([version.code, version.stderr], [0, ""]);
  const module = await runProgram(`${venv}/bin/python`, ["-m", "batchway", "version"], environment);
  assert.equal(module.stdout, version.stdout);
  const help = await batchway("start", "--help");
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  assert.match(help.stdout, /^batchway start/);
  assert.deepEqual(await snapshot(venv), before);
});

test("a command line that is not understood ends with 2, and a failure with 1", async () => {
  const unknown = await batchway("sandbx");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /the nearest is sandbox/);
  const option = await batchway("start", "--prt", "1");
  assert.equal(option.code, 2);
  assert.match(option.stderr, /the nearest is --port. See batchway start --help/);
  const failed = await batchway("start", "--config", "/nowhere.jsonc");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /BATCHWAY_CONFIG: cannot be/);
});

test("the gateway has only the permissions of its configuration, and keys are kept in its folder", async () => {
  const data = `${folder}/data`;
  const added = await batchway(
    "keys",
    "add",
    "--tenant",
    "t",
    "--providers",
    "openai",
    "--json",
    "--data",
    data,
  );
  assert.equal(added.code, 0, added.stderr);
  const { accessKeyId } = JSON.parse(added.stdout);
  const listed = await batchway("keys", "list", "--data", data);
  assert.ok(listed.stdout.includes(accessKeyId), listed.stdout);
  const line = await runProgram(`${venv}/bin/python`, [
    "-c",
    `import json; from batchway._launcher import command
print(json.dumps(command(["start", "--port", "9000", "--data", ${JSON.stringify(data)}])))`,
  ], { ...environment, OPENAI_API_KEY: "sk-any" });
  const flags: string[] = JSON.parse(line.stdout);
  assert.ok(flags.includes("--allow-net=127.0.0.1:9000,api.openai.com:443"), line.stdout);
  assert.ok(flags.includes(`--allow-write=${data}`), line.stdout);
  for (const one of flags) assert.doesNotMatch(one, /^(-A|--allow-all|--allow-run|--allow-ffi)/);
});

test("the program that the sandbox prints runs to its last line, and SIGTERM ends the sandbox", async () => {
  const child = new Deno.Command(`${venv}/bin/batchway`, {
    args: ["sandbox", "--port", "0", "--batch-seconds", "0.2"],
    clearEnv: true,
    env: { ...environment, PATH: Deno.env.get("PATH") ?? "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!printed.includes('result["recordId"]')) {
    const { value, done } = await reader.read();
    if (done) assert.fail(await stderr);
    printed += value;
  }
  const ran = await runProgram(`${venv}/bin/python`, ["-c", printed]);
  child.kill("SIGTERM");
  await reader.cancel();
  const { code, signal } = await child.status;
  assert.equal(ran.code, 0, ran.stderr + await stderr);
  for (const provider of ["openai", "gemini", "anthropic", "bedrock"]) {
    assert.match(ran.stdout, new RegExp(`^${provider} Completed 3 of 3`, "m"));
  }
  assert.match(ran.stdout, /request-3 3 \+ 3 = 6\n$/);
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

test("SIGHUP ends no gateway, also while it starts, and has its file read again", async () => {
  const config = `${folder}/reload.jsonc`;
  const write = (apiKey: string) =>
    Deno.writeTextFile(
      config,
      JSON.stringify({ providers: { openai: { kind: "openai", apiKey } } }),
    );
  await write("sk-one");
  const child = new Deno.Command(`${venv}/bin/batchway`, {
    args: ["start", "--port", "0", "--config", config, "--data", `${folder}/reload`],
    clearEnv: true,
    env: { ...environment, BATCHWAY_LOG: "json" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let seen = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) seen += text;
  })();
  // Before Python is up, it takes the signal for the end, as every program does.
  await becomesDeaf(child.pid);
  const storm = setInterval(() => {
    try {
      child.kill("SIGHUP");
    } catch {
      // It has ended, which fails below.
      clearInterval(storm);
    }
  }, 5);
  await waitFor(() => seen.includes("Batchway listening on"));
  clearInterval(storm);
  await write("sk-two");
  child.kill("SIGHUP");
  await waitFor(() => seen.includes('"changed":["providers.openai.accounts.default"]'));
  child.kill("SIGTERM");
  const { code, signal } = await child.status;
  await reading;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, seen);
});

/** Waits until a process ignores SIGHUP, as Linux shows it. */
async function becomesDeaf(pid: number): Promise<void> {
  await waitFor(async () => {
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "SigIgn:\t1");
    return Number.parseInt(/^SigIgn:\t.*(.)$/m.exec(status)?.[1] ?? "", 16) % 2 === 1;
  });
}

async function waitFor(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 1_500 && !await holds(); looks++) {
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.ok(await holds(), `It did not come to hold: ${holds}`);
}

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
