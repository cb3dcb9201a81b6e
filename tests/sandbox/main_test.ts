import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { snippetProviders } from "../../sandbox/snippet.ts";
import { ensurePython, runPython } from "../python.ts";

const program = fileURLToPath(new URL("../../sandbox/main.ts", import.meta.url));

function command(args: readonly string[], environment: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", "-A", program, ...args],
    clearEnv: true,
    env: {
      HOME: Deno.env.get("HOME") ?? "/",
      ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
      NO_COLOR: "1",
      BATCHWAY_PORT: "0",
      ...environment,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** `deno task sandbox` as a process, once it serves. */
async function startSandboxTask(environment: Record<string, string> = {}) {
  const child = command(["--batch-seconds", "0.5"], environment).spawn();
  const printed = { stdout: "", stderr: "" };
  const ready = Promise.withResolvers<string>();
  // The last line of what a newcomer is shown; both streams are read to their ends.
  const isWhole = () => /Simulated providers/.test(printed.stderr) && /\n\n$/.test(printed.stdout);
  const reading = (["stdout", "stderr"] as const).map(async (name) => {
    for await (const text of child[name].pipeThrough(new TextDecoderStream())) {
      printed[name] += text;
      const url = /^Batchway listening on (\S+)$/m.exec(printed.stderr)?.[1];
      if (url !== undefined && isWhole()) ready.resolve(url);
    }
    ready.reject(new Error(`The sandbox ended before it served:\n${printed.stderr}`));
  });
  const url = await ready.promise;
  return {
    url,
    printed,
    async stop(): Promise<number> {
      child.kill("SIGTERM");
      const { code } = await child.status;
      await Promise.all(reading);
      return code;
    },
  };
}

/** Runs Python on a text that comes on its standard input. */
async function runInput(args: readonly string[], text: string) {
  const child = new Deno.Command(await ensurePython(), {
    args: [...args],
    clearEnv: true,
    env: { AWS_EC2_METADATA_DISABLED: "true", PYTHONUTF8: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** What the snippet prints: the same answers in the same form, wherever its file ran. */
const printedBy = snippetProviders.flatMap((provider) => [
  `${provider} Completed 3 of 3`,
  ...[1, 2, 3].map((n) => `  request-${n} ${n} + ${n} = ${n + n}`),
]);

Deno.test("the snippet that the sandbox prints runs its file on each provider, saved, piped and pasted", async () => {
  const sandbox = await startSandboxTask();
  const file = await Deno.makeTempFile({ suffix: ".py" });
  try {
    const { stdout: snippet } = sandbox.printed;
    assert.ok(snippet.includes(`endpoint_url="${sandbox.url}" + path`), snippet);
    await Deno.writeTextFile(file, snippet);
    const saved = await runPython(file);
    const piped = await runInput(["-"], snippet);
    // Line by line, as at Python's prompt.
    const pasted = await runInput(["-i", "-q"], snippet);
    for (const { code, stdout, stderr } of [saved, piped, pasted]) {
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /Error/);
      assert.deepEqual(stdout.split("\n").map((line) => line.trimEnd()).filter(Boolean), printedBy);
    }
  } finally {
    await Deno.remove(file);
    assert.equal(await sandbox.stop(), 0);
  }
});

Deno.test("the snippet prints why a job fails, and goes on with the others", async () => {
  const sandbox = await startSandboxTask();
  try {
    const { stdout: snippet } = sandbox.printed;
    const broken = `lines[2] = "{"\n\njobs = {}`;
    const { code, stdout, stderr } = await runInput(["-"], snippet.replace("jobs = {}", broken));
    assert.equal(code, 0, stderr);
    for (const provider of ["openai", "gemini", "anthropic"]) {
      assert.match(stdout, new RegExp(`^${provider} Failed .* Line 3 of the input is not `, "m"));
    }
    assert.match(stdout, /^bedrock (Failed|Completed) /m);
  } finally {
    assert.equal(await sandbox.stop(), 0);
  }
});

Deno.test("a sandbox with a folder keeps objects and jobs over a restart", async () => {
  const folder = await Deno.makeTempDir({ prefix: "batchway-sandbox-" });
  const headers = { "x-model-provider": "openai" };
  const line = JSON.stringify({
    custom_id: "a",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] },
  });
  try {
    const first = await startSandboxTask({ BATCHWAY_DATA: folder });
    const object = "/bedrock/files/bucket/input.jsonl";
    const put = await fetch(first.url + object, { method: "PUT", headers, body: line });
    assert.equal(put.status, 200, await put.text());
    const create = await fetch(`${first.url}/bedrock/model-invocation-job`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        jobName: "job",
        modelId: "gpt-4o-mini",
        roleArn: "any",
        clientRequestToken: "token",
        inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/input.jsonl" } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://bucket/output/" } },
      }),
    });
    const { jobArn } = await create.json();
    assert.match(jobArn, /^arn:aws:bedrock:/);
    assert.equal(await first.stop(), 0);

    const second = await startSandboxTask({ BATCHWAY_DATA: folder });
    const got = await fetch(second.url + object, { headers });
    assert.equal(await got.text(), line);
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(jobArn)}`;
    let status = "";
    for (let n = 0; n < 100 && status !== "Completed"; n++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      status = (await fetch(second.url + path, { headers }).then((one) => one.json())).status;
    }
    assert.equal(status, "Completed");
    assert.equal(await second.stop(), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("for machines the sandbox prints JSON lines and no snippet", async () => {
  const child = command([], { BATCHWAY_LOG: "json" }).spawn();
  let log = "";
  let stopped = false;
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      // A signal that comes right behind the ready line ends the process well, too.
      if (stopped || !log.includes("Batchway listening")) continue;
      stopped = true;
      child.kill("SIGTERM");
    }
  })();
  const [stdout, { code }] = await Promise.all([new Response(child.stdout).text(), child.status]);
  await reading;
  assert.equal(code, 0, log);
  assert.equal(stdout, "");
  const messages = log.trimEnd().split("\n").map((line) => JSON.parse(line).message);
  assert.match(messages[0], /^Batchway listening on http:\/\/127\.0\.0\.1:[0-9]+$/);
});

Deno.test("wrong options end with a sentence, and --help with the options", async () => {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const soon = await command(["--batch-seconds", "soon"], {}).output();
  assert.equal(soon.code, 1);
  assert.match(decode(soon.stderr), /--batch-seconds: must be a number, such as 3 or 0\.5/);
  const cases: readonly [args: readonly string[], reason: RegExp][] = [
    [["--fast"], /^Unknown option '--fast'; the nearest is --host\. See deno task sandbox --help/],
    [["--simulator-port", "1"], /^Unknown option '--simulator-port'.* --simulators-port\./],
    [["strict"], /'strict' is not one; the nearest is --strict/],
    [["--strict=1"], /^--strict takes no value/],
    [["--port"], /^--port needs a value/],
  ];
  for (const [args, reason] of cases) {
    const refused = await command(args, {}).output();
    assert.equal(refused.code, 2, args.join(" "));
    assert.match(decode(refused.stderr), reason);
  }
  const help = await command(["--help"], {}).output();
  assert.equal(help.code, 0);
  assert.match(decode(help.stdout), /--strict {6}/);
});
