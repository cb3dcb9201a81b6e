import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../config/arguments.ts";
import { parseKeysArguments } from "../../commands/keys_arguments.ts";
import { spawnGateway } from "../gateway.ts";

const program = fileURLToPath(new URL("../../commands/keys.ts", import.meta.url));
const provider = { OPENAI_API_KEY: "sk-secret", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as its task does, but for what the task itself prints. */
async function keys(folder: string, ...args: string[]): Promise<Ended> {
  const permissions = ["--allow-env", "--allow-read", "--allow-write", "--allow-sys"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...permissions, program, ...args],
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      NO_COLOR: "1",
      BATCHWAY_DATA: `${folder}/data`,
      ...provider,
    },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-keys-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a key is issued once, listed without its secret, rotated, disabled and removed", () =>
  inFolder(async (folder) => {
    const none = await keys(folder, "list");
    assert.match(none.stdout, /There is no credential/);
    const add = [
      "add",
      "--tenant",
      "team",
      "--providers",
      "openai",
      "--buckets",
      "a-*,b",
      "--json",
    ];
    const { code, stdout } = await keys(folder, ...add);
    assert.equal(code, 0);
    const issued = JSON.parse(stdout);
    assert.deepEqual([issued.tenant, issued.providers, issued.buckets, issued.defaultProvider], [
      "team",
      ["openai"],
      ["a-*", "b"],
      "openai",
    ]);
    const { accessKeyId: id } = issued;
    const { mode } = await Deno.stat(`${folder}/data/secret.key`);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    const rotated = JSON.parse((await keys(folder, "rotate", id, "--json")).stdout);
    assert.notEqual(rotated.secretAccessKey, issued.secretAccessKey);
    assert.equal(rotated.secrets.length, 2);
    await keys(folder, "disable", id);
    const listed = await keys(folder, "list");
    assert.equal(
      listed.stdout,
      `${id}  disabled  tenant=team  providers=openai  buckets=a-*,b  secrets=2\n`,
    );
    const set = JSON.parse(
      (await keys(folder, "set", id, "--label", "Nightly", "--admin", "--no-buckets", "--json"))
        .stdout,
    );
    assert.deepEqual([set.label, set.admin, set.buckets, set.disabled], [
      "Nightly",
      true,
      undefined,
      true,
    ]);
    const labelled = (await keys(folder, "list")).stdout;
    assert.match(labelled, / disabled +label="Nightly" +tenant=team .* buckets=\* +admin /);
    const nobody = await keys(folder, "set", "BWAKAAAAAAAAAAAAAAAA", "--native");
    assert.deepEqual([nobody.code, nobody.stdout], [1, ""]);
    await keys(folder, "enable", id);
    await keys(folder, "retire", id);
    const [one] = JSON.parse((await keys(folder, "list", "--json")).stdout);
    assert.deepEqual([one.disabled, one.secrets.length], [false, 1]);
    assert.ok(!JSON.stringify(one).includes(rotated.secretAccessKey));
    for (const { name } of Deno.readDirSync(`${folder}/data`)) {
      const bytes = new TextDecoder().decode(await Deno.readFile(`${folder}/data/${name}`));
      for (const secret of [issued, rotated]) {
        assert.ok(!bytes.includes(secret.secretAccessKey), `${name} holds a secret`);
        assert.ok(!bytes.includes(secret.bearerToken), `${name} holds a token`);
      }
    }
    assert.equal((await keys(folder, "remove", id)).code, 0);
    const gone = await keys(folder, "remove", id);
    assert.deepEqual([gone.code, gone.stdout], [1, ""]);
    assert.match(gone.stderr, /^There is no credential BWAK/);
  }));

Deno.test("the first key closes a gateway that runs, and lets one listen elsewhere than on loopback", () =>
  inFolder(async (folder) => {
    const environment = { ...provider, BATCHWAY_DATA: `${folder}/data`, BATCHWAY_LOG: "json" };
    const gateway = await spawnGateway(environment);
    const list = () =>
      fetch(`${gateway.url}/bedrock/files`, { headers: { "x-model-provider": "openai" } });
    const before = await list();
    await before.body?.cancel();
    assert.equal(before.status, 200);
    // A name of loopback that is not known for one: nothing here may listen to the outside.
    const elsewhere = { ...environment, BATCHWAY_HOST: "LOCALHOST" };
    await assert.rejects(
      spawnGateway(elsewhere),
      /BATCHWAY_HOST is LOCALHOST, and every client that/,
    );
    await keys(folder, "add", "--tenant", "team", "--providers", "openai");
    let status = 200;
    for (let n = 0; n < 100 && status === 200; n++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const answer = await list();
      await answer.body?.cancel();
      status = answer.status;
    }
    assert.equal(status, 403);
    assert.equal(await gateway.stop(), 0);
    assert.equal(await (await spawnGateway(elsewhere)).stop(), 0);
  }));

Deno.test("a gateway whose key was lost does not start, and no key is made in its place", () =>
  inFolder(async (folder) => {
    const environment = { ...provider, BATCHWAY_DATA: `${folder}/data`, BATCHWAY_LOG: "json" };
    const add = ["add", "--tenant", "team", "--providers", "openai"];
    const issued = JSON.parse((await keys(folder, ...add, "--json")).stdout);
    await Deno.rename(`${folder}/data/secret.key`, `${folder}/kept`);
    await assert.rejects(
      spawnGateway(environment),
      /key that sealed [^]* is missing\. Set BATCHWAY_/,
    );
    const refused = await keys(folder, "rotate", issued.accessKeyId);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is missing\. .*bring \S+secret\.key back/);
    await Deno.rename(`${folder}/kept`, `${folder}/data/secret.key`);
    assert.equal((await keys(folder, "rotate", issued.accessKeyId)).code, 0);
    assert.equal(await (await spawnGateway(environment)).stop(), 0);
  }));

Deno.test("a command line that is not understood says why and ends with 2", () =>
  inFolder(async (folder) => {
    const wrong = await keys(folder, "add", "--tenant", "a", "--providers", "opnai");
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.equal(wrong.stderr, "--providers: opnai is not one of openai\n");
    const help = await keys(folder, "--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /keys add --tenant NAME --providers/);
    const nothing = await keys(folder);
    assert.equal(nothing.code, 2);
  }));

const known = { providers: ["openai", "gemini"], now: Date.parse("2026-01-01T00:00:00Z") };
const add = ["add", "--tenant", "t", "--providers", "openai,gemini"];

Deno.test("what a key may do is read from the options", () => {
  const args = [
    ...add,
    "--read-only",
    "--native",
    "--expires",
    "2027-01-31",
    "--default-provider",
    "gemini",
  ];
  assert.deepEqual(parseKeysArguments(args, known), {
    action: "add",
    json: false,
    credential: {
      tenant: "t",
      providers: ["openai", "gemini"],
      defaultProvider: "gemini",
      readOnly: true,
      native: true,
      expiresAt: Date.parse("2027-01-31T00:00:00Z"),
    },
  });
});

Deno.test("a change keeps what it does not name, and takes back what it says", () => {
  const old = {
    tenant: "t",
    label: "nightly",
    admin: true,
    providers: ["openai"],
    defaultProvider: "openai",
    buckets: ["a"],
    readOnly: true,
    native: true,
    expiresAt: 9,
  };
  const changed = (...args: string[]) => {
    const command = parseKeysArguments(["set", "ID", ...args], known);
    assert.ok(command.action === "set" && command.accessKeyId === "ID");
    return command.changes(old);
  };
  assert.deepEqual(changed("--label", "weekly"), { ...old, label: "weekly" });
  const { label: _label, admin: _admin, buckets: _buckets, expiresAt: _at, ...bare } = old;
  const without = ["--no-label", "--no-admin", "--no-buckets", "--no-expires", "--no-native"];
  assert.deepEqual(changed(...without, "--no-read-only"), {
    ...bare,
    readOnly: false,
    native: false,
  });
  // The default was the only provider; of the new ones it is another.
  assert.equal(changed("--providers", "gemini").defaultProvider, "gemini");
  assert.equal(changed("--providers", "gemini,openai").defaultProvider, "openai");
  assert.equal(changed("--no-default-provider").defaultProvider, undefined);
  assert.throws(
    () => changed("--default-provider", "gemini"),
    /--default-provider: gemini is not one of openai/,
  );
  const limited = changed("--max-jobs", "5", "--max-cost", "0.25", "--max-bytes", "none");
  assert.deepEqual([limited.maxJobs, limited.maxCost, limited.maxBytes], [5, 0.25, undefined]);
  const free = parseKeysArguments(["set", "ID", "--max-jobs", "none", "--no-max-cost"], known);
  assert.ok(free.action === "set");
  assert.deepEqual(free.changes(limited), old);
  const renewed = changed("--expires", "2027-01-31");
  assert.equal(renewed.expiresAt, Date.parse("2027-01-31T00:00:00Z"));
});

Deno.test("options that are missing, unknown or not of their form are each refused with a reason", () => {
  const cases: readonly [args: readonly string[], reason: RegExp][] = [
    [["frob"], /There is no 'keys frob'/],
    [["rotat", "a"], /There is no 'keys rotat'; the nearest is 'keys rotate'/],
    [[...add, "--bucket", "a"], /^Unknown option '--bucket'; the nearest is --buckets\. See/],
    [["list", "--jsno"], /^Unknown option '--jsno'; the nearest is --json/],
    [[...add, "--expires"], /^--expires needs a value/],
    [[...add, "--tenant", "u"], /^--tenant is given twice/],
    [["list", "--json=yes"], /^--json takes no value/],
    [["add"], /--tenant is missing/],
    [["add", "--tenant", "t"], /--providers is missing. Configured are openai, gemini/],
    [["add", "--tenant", "@native", "--providers", "openai"], /--tenant must be/],
    [
      [...add, "--default-provider", "bedrock"],
      /--default-provider: bedrock is not one of openai, gemini/,
    ],
    [[...add, "--buckets", "A"], /--buckets: A is not a bucket's name/],
    [[...add, "--buckets", "a*b"], /a\*b is not a bucket's name/],
    [[...add, "--buckets", ","], /names no bucket/],
    [[...add, "--expires", "soon"], /--expires must be a time/],
    [[...add, "--expires", "2025-12-31"], /in the past/],
    [[...add, "--admin=yes"], /--admin takes no value/],
    [[...add, "--no-admin"], /--no-admin goes with 'keys set'/],
    [[...add, "--label", "a\nb"], /--label must be 1 to 128 characters of one line/],
    [["set", "a"], /needs an option that changes something/],
    [["set", "a", "--tenant", "u"], /--tenant cannot be changed/],
    [["set", "a", "--native", "--no-native"], /--native and --no-native contradict/],
    [["set", "a", "--no-providers"], /Unknown option '--no-providers'; the nearest is/],
    [["set", "--native"], /'keys set' takes one access key id/],
    [["set", "a", "--providers", "bedrock"], /--providers: bedrock is not one of openai, gemini/],
    [["disable"], /takes one access key id/],
    [[...add, "--max-jobs", "many"], /--max-jobs must be a whole number/],
    [[...add, "--max-records", "1.5"], /--max-records must be a whole number/],
    [[...add, "--max-bytes=-1"], /--max-bytes must be a whole number/],
    [[...add, "--max-cost", "1e9"], /--max-cost must be an amount of USD/],
    [["disable", "a", "b"], /takes one access key id/],
    [["list", "a"], /takes no name/],
    [["list", "--native"], /--native goes with 'keys add'/],
  ];
  for (const [args, reason] of cases) {
    assert.throws(
      () => parseKeysArguments(args, known),
      (error: unknown) => error instanceof UsageError && reason.test(error.message),
      args.join(" "),
    );
  }
});

Deno.test("where no provider is configured the sentence says how to configure one", () => {
  const none = { ...known, providers: [] };
  for (const more of [[], ["--providers", ","], ["--providers", "openai"]]) {
    assert.throws(
      () => parseKeysArguments(["add", "--tenant", "t", ...more], none),
      (error: unknown) =>
        error instanceof UsageError &&
        /No provider is configured here: set .* or name one in batchway\.jsonc/.test(error.message),
      more.join(" "),
    );
  }
});
