/** `deno task start` as it is run: with the permissions of its configuration and no other. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { until } from "../clients/session.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { spawnGateway } from "../gateway.ts";
import { serve } from "../providers/harness.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const line = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';

/** Runs a test's work on simulated providers, with a folder for the gateway. */
async function onSandbox(
  work: (environment: Record<string, string>, sandbox: Sandbox, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-permissions-" });
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  try {
    const environment = {
      ...sandboxEnvironment(sandbox),
      BATCHWAY_DATA: `${folder}/deep/data`,
      BATCHWAY_CONFIG: `${folder}/batchway.jsonc`,
    };
    await Deno.writeTextFile(environment.BATCHWAY_CONFIG, "{}");
    await work(environment, sandbox, folder);
  } finally {
    await sandbox.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `deno` to its end at the project's root, with these variables alone. */
async function deno(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: root,
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      NO_COLOR: "1",
      BATCHWAY_PORT: "0",
      ...environment,
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const send = (url: string, provider: string, method: string, path: string, body?: BodyInit) =>
  fetch(`${url}/bedrock${path}`, {
    method,
    headers: { "x-model-provider": provider },
    ...(body !== undefined && { body }),
  });

Deno.test("the start task serves every provider with the permissions of its configuration", () =>
  onSandbox(async (environment) => {
    const gateway = await spawnGateway(environment, ["task", "start"]);
    try {
      for (const provider of ["openai", "gemini", "bedrock"]) {
        const put = await send(gateway.url, provider, "PUT", "/files/my-bucket/a", line);
        assert.equal(put.status, 200, await put.text());
        const list = await send(gateway.url, provider, "GET", "/files/my-bucket?list-type=2");
        assert.match(await list.text(), /<Key>a<\/Key>/);
        const jobs = await send(gateway.url, provider, "GET", "/model-invocation-jobs");
        assert.equal(jobs.status, 200, await jobs.text());
      }
      const got = await send(gateway.url, "openai", "GET", "/files/my-bucket/a");
      assert.equal(await got.text(), line);
      // Ranges and parts go by way of the disk.
      const ranged = await fetch(`${gateway.url}/bedrock/files/my-bucket/a`, {
        headers: { "x-model-provider": "openai", "range": "bytes=0-3" },
      });
      assert.equal(await ranged.text(), line.slice(0, 4));
      const batches = await send(gateway.url, "anthropic", "GET", "/model-invocation-jobs");
      assert.equal(batches.status, 200, await batches.text());
    } finally {
      assert.equal(await gateway.stop(), 0, gateway.log());
    }
    assert.doesNotMatch(gateway.log(), /NotCapable|Requires|experimental/);
  }));

const models = { openai: "gpt-4o-mini", gemini: "gemini-2.5-flash", anthropic: "claude-haiku-4-5" };
const kept = {
  "results with the objects": { keep: "needed" },
  "results in a folder of their own, and a copy of every object": { keep: "all" },
} as const;

for (const [what, { keep }] of Object.entries(kept)) {
  Deno.test(`a file of Converse records runs on every provider under the start task: ${what}`, () =>
    onSandbox(async (environment, _, folder) => {
      const results = keep === "all" && { results: { keep: { folder: `${folder}/results` } } };
      const configuration = JSON.stringify({ objects: { keep }, ...results });
      await Deno.writeTextFile(environment["BATCHWAY_CONFIG"] ?? "", configuration);
      const more = { BATCHWAY_POLL_SECONDS: "0", BATCHWAY_SWEEP_SECONDS: "0.2" };
      const gateway = await spawnGateway({ ...environment, ...more }, ["task", "start"]);
      try {
        const client = createClient(gateway.url);
        const video = { video: { format: "mp4", source: { bytes: "AAAA" } } };
        const lines = [
          converse("a", "one"),
          converse("b", "two", { additionalModelRequestFields: { unheard_of: 1 } }),
          converse("c", "", { messages: [{ role: "user", content: [video] }] }),
        ];
        const run = async ([provider, model]: readonly [string, string]) => {
          await client.put(provider, "bucket/in.jsonl", lines.join("\n"));
          assert.equal(await client.read(provider, "bucket/in.jsonl"), lines.join("\n"));
          const id = await client.create(provider, model, "s3://bucket/in.jsonl");
          const job = await client.ended(provider, id);
          assert.equal(job.status, "Completed", `${JSON.stringify(job)}${gateway.log()}`);
          const read = await client.read(provider, `results/out/${id}/in.jsonl.out`);
          const ids = read.trimEnd().split("\n").map((line) => JSON.parse(line).recordId);
          assert.deepEqual(ids, ["a", "b", "c"]);
          const report = `results/out/_batchway/${id}/translation.ndjson`;
          assert.match(await client.read(provider, report), /unheard_of/);
        };
        await Promise.all(Object.entries(models).map(run));
      } finally {
        assert.equal(await gateway.stop(), 0, gateway.log());
      }
      const lines = gateway.log().split("\n");
      assert.deepEqual(lines.filter((line) => /NotCapable|Requires/.test(line)), []);
    }));
}

/** Where data lie behind a symbolic link, from the folder of a test, and what is there at the start. */
const links: Readonly<Record<string, { data: string; results: string; made: readonly string[] }>> =
  {
    "the folder of the data": { data: "link", results: "kept", made: ["real", "kept"] },
    "a folder above data that are not made yet": {
      data: "link/below/data",
      results: "kept",
      made: ["real", "kept"],
    },
    "the folder of the results": { data: "data", results: "link", made: ["real", "data"] },
  };

for (const [what, { data, results, made }] of Object.entries(links)) {
  Deno.test(`the start task keeps bytes where a symbolic link leads: ${what}`, () =>
    onSandbox(async (environment, _, folder) => {
      for (const name of made) await Deno.mkdir(`${folder}/${name}`);
      await Deno.symlink("real", `${folder}/link`);
      const file = {
        objects: { keep: "all" },
        results: { keep: { folder: `${folder}/${results}` } },
      };
      await Deno.writeTextFile(environment["BATCHWAY_CONFIG"] ?? "", JSON.stringify(file));
      const more = { BATCHWAY_DATA: `${folder}/${data}`, BATCHWAY_POLL_SECONDS: "0" };
      const gateway = await spawnGateway({ ...environment, ...more }, ["task", "start"]);
      try {
        const client = createClient(gateway.url);
        await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
        assert.equal(await client.read("openai", "bucket/in.jsonl"), converse("a", "one"));
        const id = await client.create("openai", models.openai, "s3://bucket/in.jsonl");
        assert.equal((await client.ended("openai", id)).status, "Completed", gateway.log());
        const read = await client.read("openai", `results/out/${id}/in.jsonl.out`);
        assert.equal(JSON.parse(read).recordId, "a");
      } finally {
        assert.equal(await gateway.stop(), 0, gateway.log());
      }
      assert.doesNotMatch(gateway.log(), /NotCapable|Requires/);
    }));
}

Deno.test("SIGTERM to the start task lets an upload end, and then ends with 0", () =>
  onSandbox(async (environment) => {
    const gateway = await spawnGateway(environment, ["task", "start"]);
    const { hostname, port } = new URL(gateway.url);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const writer = connection.writable.getWriter();
    const write = (text: string) => writer.write(new TextEncoder().encode(text));
    await write(
      "PUT /bedrock/files/my-bucket/slow HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" +
        `x-model-provider: openai\r\ncontent-length: ${line.length}\r\n\r\n` + line.slice(0, 10),
    );
    // One that is answered after it tells that the upload's head has arrived too.
    await (await fetch(`${gateway.url}/healthz`)).body?.cancel();
    const stopped = gateway.stop();
    await until(() => gateway.log().includes("Shutting down"));
    await write(line.slice(10));
    const chunk = new Uint8Array(1024);
    const read = await connection.read(chunk);
    assert.match(new TextDecoder().decode(chunk.subarray(0, read ?? 0)), /^HTTP\/1.1 200 /);
    assert.equal(await stopped, 0, gateway.log());
  }));

Deno.test("AWS credentials of a container are fetched, and from nowhere else", () =>
  onSandbox(async (environment) => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...rest } = environment;
    await using container = serve(() =>
      Response.json({
        AccessKeyId: AWS_ACCESS_KEY_ID,
        SecretAccessKey: AWS_SECRET_ACCESS_KEY,
        Token: "",
        Expiration: "2099-01-01T00:00:00Z",
      })
    );
    const gateway = await spawnGateway({
      ...rest,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/role`,
    }, ["task", "start"]);
    const put = await send(gateway.url, "bedrock", "PUT", "/files/my-bucket/a", line);
    await put.body?.cancel();
    assert.equal(await gateway.stop(), 0, gateway.log());
    assert.deepEqual([put.status, container.requests], [200, ["GET /role"]], gateway.log());
  }));

Deno.test("the start task's options stand for the variables, for what it may reach too", () =>
  onSandbox(async (environment, _, folder) => {
    const config = `${folder}/other.jsonc`;
    await Deno.writeTextFile(config, '{ "defaultProvider": "openai" }');
    const options = ["--host", "127.0.0.2", "--port=0", "--data", `${folder}/other`];
    const gateway = await spawnGateway({
      ...environment,
      BATCHWAY_CONFIG: `${folder}/none.jsonc`,
      BATCHWAY_PORT: "1",
    }, ["task", "start", ...options, "--config", config]);
    assert.match(gateway.url, /^http:\/\/127\.0\.0\.2:/);
    const put = await fetch(`${gateway.url}/bedrock/files/bucket/key`, {
      method: "PUT",
      body: line,
    });
    assert.deepEqual([put.status, await put.text()], [200, ""]);
    assert.equal(await gateway.stop(), 0, gateway.log());
    assert.ok((await Deno.stat(`${folder}/other/catalog.kv`)).isFile);
  }));

Deno.test("a wrong configuration is reported once, with its exit code", async () => {
  const { code, stdout, stderr } = await deno(["task", "--quiet", "start"], {
    BATCHWAY_POLL_SECONDS: "often",
  });
  assert.deepEqual([code, stdout, stderr], [
    1,
    "",
    "The configuration has an error:\n" +
    "  BATCHWAY_POLL_SECONDS: must be a number of seconds up to 604800, such as 5 or 0.5\n",
  ]);
});

Deno.test("with the start task's permissions nothing but listeners and providers is reached", () =>
  onSandbox(async (environment, sandbox) => {
    const path = new URL("../../deno.json", import.meta.url);
    const command: string = JSON.parse(await Deno.readTextFile(path)).tasks.start.command;
    assert.match(command, / main\.ts$/);
    const openai = new URL(sandbox.openaiUrl).origin;
    await using other = serve(() => new Response("reached"));
    // Another address at the port of a provider: both parts of a host are held to.
    const address = openai.replace("127.0.0.1", "127.0.0.2");
    const probe = [
      command.replace(/main\.ts$/, "tests/config/egress_probe.ts"),
      other.url,
      address,
      openai,
    ];
    const { stdout, stderr } = await deno(["task", "--eval", probe.join(" ")], environment);
    const denied = "NotCapable";
    assert.deepEqual(JSON.parse(stdout || "null"), {
      ...Object.fromEntries(
        [other.url, address].flatMap((url) =>
          ["fetch", "undici", "connect"].map((way) => [`${way} ${url}`, denied])
        ),
      ),
      [`fetch ${openai}`]: "done",
      [`undici ${openai}`]: "done",
      [`connect ${openai}`]: "done",
      run: denied,
      ffi: denied,
      import: "TypeError",
      read: denied,
      write: denied,
    }, stderr);
    assert.deepEqual(other.requests, []);
  }));
