import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { opennessOf } from "../openness.ts";
import { spawnGateway } from "./gateway.ts";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Runs a test's work in a folder of its own. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-main-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts the gateway where it must end by itself. */
async function start(
  folder: string,
  environment: Record<string, string>,
  args: readonly string[] = [],
): Promise<{ code: number; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", "-A", program, ...args],
    clearEnv: true,
    cwd: folder,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      NO_COLOR: "1",
      BATCHWAY_PORT: "0",
      BATCHWAY_DATA: `${folder}/data`,
      ...environment,
    },
    stdin: "null",
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "");
  return { code, stderr: new TextDecoder().decode(stderr) };
}

const key = { OPENAI_API_KEY: "sk-secret", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };

Deno.test("without any provider, start says what to set", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await start(folder, {});
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "No provider is configured. Set OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY, or " +
        "AWS_REGION with AWS credentials for Bedrock, or name providers in batchway.jsonc; " +
        "`deno task sandbox` needs none of them\n",
    );
    const json = await start(folder, { BATCHWAY_LOG: "json" });
    assert.equal(json.code, 1);
    assert.match(
      JSON.parse(json.stderr).message,
      /^No provider is configured\. Set OPENAI_API_KEY/,
    );
  });
});

Deno.test("options and words that start does not know end it with 2 and the nearest one", async () => {
  await inFolder(async (folder) => {
    const cases: readonly [args: readonly string[], reason: RegExp][] = [
      [
        ["--prot", "9"],
        /^Unknown option '--prot'; the nearest is --port\. See deno task start --help/,
      ],
      [["-x"], /^Unknown option '-x'; /],
      [["prt"], /'prt' is not one; the nearest is --port\./],
      [["--data"], /^--data needs a value\./],
      [["--host", "--port", "1"], /^--host needs a value\./],
    ];
    for (const [args, reason] of cases) {
      const { code, stderr } = await start(folder, key, args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, reason);
    }
    const wrong = await start(folder, { ...key, BATCHWAY_PORT: "0" }, ["--port", "many"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /BATCHWAY_PORT: must be a port/);
  });
});

Deno.test("errors of ./batchway.jsonc and of the environment come together", async () => {
  await inFolder(async (folder) => {
    const file = '{ "providers": { "groq": { "kind": "openai", "baseUrl": "groq" } } }';
    await Deno.writeTextFile(`${folder}/batchway.jsonc`, file);
    const { code, stderr } = await start(folder, { BATCHWAY_POLL_SECONDS: "often" });
    assert.equal(code, 1);
    assert.deepEqual(stderr.trimEnd().split("\n").sort(), [
      "  BATCHWAY_POLL_SECONDS: must be a number of seconds up to 604800, such as 5 or 0.5",
      "  providers.groq.baseUrl: must be an http or https URL without user, query and fragment",
      "The configuration has 2 errors:",
    ]);
  });
});

Deno.test("a catalog on another machine that is not there ends the start with a sentence", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await start(folder, {
      ...key,
      BATCHWAY_CATALOG: "http://127.0.0.1:9",
      DENO_KV_ACCESS_TOKEN: "a-token-for-tests",
    });
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot open the catalog http:\/\/127\.0\.0\.1:9\/: .*BATCHWAY_CATALOG/m);
    assert.doesNotMatch(stderr, /a-token-for-tests/);
  });
});

Deno.test("a configuration that is named must be there", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await start(folder, {
      ...key,
      BATCHWAY_CONFIG: `${folder}/none.jsonc`,
    });
    assert.equal(code, 1);
    assert.match(stderr, /^ {2}BATCHWAY_CONFIG: cannot be read: .*none\.jsonc/m);
  });
});

Deno.test("a port that is taken is reported", async () => {
  await inFolder(async (folder) => {
    const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr;
    for (const name of ["BATCHWAY_PORT", "BATCHWAY_S3_PORT"]) {
      const { code, stderr } = await start(folder, { ...key, [name]: `${port}` });
      assert.equal(code, 1);
      assert.equal(
        stderr,
        `Cannot listen on 127.0.0.1:${port}: another program listens there; end it, or choose ` +
          "another port (BATCHWAY_HOST, BATCHWAY_PORT, BATCHWAY_S3_PORT, BATCHWAY_ADMIN_PORT)\n",
      );
    }
    other.close();
  });
});

Deno.test("a catalog that cannot be opened is reported", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const blocked = await start(folder, { ...key, BATCHWAY_DATA: `${folder}/file/data` });
    assert.equal(blocked.code, 1);
    assert.match(blocked.stderr, /^Cannot open the catalog \S+\/file\/data\/catalog\.kv: .*\n$/);
    assert.match(blocked.stderr, /BATCHWAY_DATA names another folder/);

    await Deno.mkdir(`${folder}/data`);
    await Deno.writeTextFile(`${folder}/data/catalog.kv`, "no catalog ".repeat(1_000));
    const damaged = await start(folder, key);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /^Cannot open the catalog \S+: file is not a database\..*\n$/);
  });
});

Deno.test("the ready line is exact, the folder is made, and SIGTERM ends with 0", async () => {
  await inFolder(async (folder) => {
    const gateway = await spawnGateway({ ...key, BATCHWAY_DATA: `${folder}/deep/data` });
    assert.match(gateway.url, /^http:\/\/127\.0\.0\.1:[0-9]+$/);
    assert.ok(gateway.log().split("\n").includes(`Batchway listening on ${gateway.url}`));
    assert.equal((await fetch(`${gateway.url}/healthz`).then((one) => one.json())).status, "ok");
    assert.ok((await Deno.stat(`${folder}/deep/data/catalog.kv`)).isFile);
    assert.equal(await gateway.stop(), 0);
    assert.ok(!gateway.log().includes("sk-secret"), gateway.log());
  });
});

Deno.test("under BATCHWAY_LOG=json every line is JSON, the ready line too", async () => {
  await inFolder(async (folder) => {
    const gateway = await spawnGateway({
      ...key,
      BATCHWAY_DATA: folder,
      BATCHWAY_LOG: "json",
      BATCHWAY_S3_PORT: "0",
    });
    await fetch(`${gateway.url}/bedrock/files/b/k`).then((one) => one.text());
    assert.equal(await gateway.stop(), 0);
    const events = gateway.log().trimEnd().split("\n").map((line) => JSON.parse(line));
    const messages = events.map((event) => event.message);
    assert.ok(messages.includes(`Batchway listening on ${gateway.url}`), gateway.log());
    assert.ok(
      messages.some((one) => /^S3 is at the root of http:\/\/127/.test(one)),
      gateway.log(),
    );
    assert.ok(messages.includes("Shutting down: requests under way are answered first"));
  });
});

Deno.test("without credentials, only loopback is open, unless the operator opens the gateway to all", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
    assert.equal(opennessOf({ host, allowAnonymous: false }), "local", host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "gateway.example", "127.0.0.1.example"]) {
    assert.equal(opennessOf({ host, allowAnonymous: false }), "nobody", host);
    assert.equal(opennessOf({ host, allowAnonymous: true }), "everybody", host);
  }
});

Deno.test("the process refuses an address beyond loopback", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await start(folder, { ...key, BATCHWAY_HOST: "0.0.0.0" });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^BATCHWAY_HOST is 0\.0\.0\.0, and every client that reaches it .*ANONYMOUS=1/,
    );
  });
});
