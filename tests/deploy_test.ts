/** What docs/install.md gives to run the gateway with: the container and systemd. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../sandbox/environment.ts";
import { startSandbox } from "../sandbox/server.ts";
import { debianProgram } from "./debian.ts";
import { spawnGateway } from "./gateway.ts";
import { runProgram } from "./program.ts";
import { areKnown, read, type Yaml } from "./deploy/manifests.ts";
import { parse } from "./sdks/yaml.ts";

const root = new URL("../", import.meta.url);

/** The instructions of the Dockerfile, each as its word and the rest. */
async function dockerfile(): Promise<readonly { word: string; rest: string }[]> {
  const text = (await read("Dockerfile")).replaceAll("\\\n", " ");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const [, word = "", rest = ""] = /^([A-Z]+) +(.*)$/.exec(line) ?? assert.fail(line);
    return { word, rest };
  });
}

/** The variables that the container sets. */
async function containerVariables(): Promise<Record<string, string>> {
  const lines = (await dockerfile()).filter(({ word }) => word === "ENV");
  const pairs = lines.flatMap(({ rest }) => rest.split(" ").map((one) => one.split("=", 2)));
  return Object.fromEntries(pairs);
}

Deno.test("the container runs the packed program as a user without rights, and keeps data in its volume", async () => {
  const steps = await dockerfile();
  const at = (word: string) => steps.findIndex((one) => one.word === word);
  const rest = (word: string) => steps[at(word)]?.rest;
  assert.equal(rest("ENTRYPOINT"), '["batchway"]');
  assert.equal(rest("CMD"), '["start"]');
  assert.ok(at("USER") > 0 && at("USER") < at("CMD"));
  assert.notEqual(rest("USER"), "root");
  const { BATCHWAY_DATA, BATCHWAY_HOST } = await containerVariables();
  assert.equal(rest("VOLUME"), BATCHWAY_DATA);
  // A container's loopback is its own: only with this host can a port be published.
  assert.equal(BATCHWAY_HOST, "0.0.0.0");
  // The package that is copied is what `deno task npm` writes (tests/packages/npm_test.ts installs it).
  assert.equal(rest("COPY"), "dist/batchway-*.tgz /tmp/batchway.tgz");
  const ignored = await read(".dockerignore");
  assert.match(ignored, /^!dist\/\*\.tgz$/m);
});

Deno.test("the container's health check follows the gateway", async () => {
  const check = (await dockerfile()).find(({ word }) => word === "HEALTHCHECK")?.rest ?? "";
  const [, text = ""] = /CMD (\[.*\])$/.exec(check) ?? [];
  const [command = "", ...args]: string[] = JSON.parse(text);
  const { BATCHWAY_HOST: _, BATCHWAY_DATA: __, ...own } = await containerVariables();
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const data = await Deno.makeTempDir();
  // As in a container that has no home, with the first key from its environment.
  const gateway = await spawnGateway({
    ...own,
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: data,
    BATCHWAY_ADMIN_KEY_ID: "CONTAINERKEY0001",
    BATCHWAY_ADMIN_SECRET: "a-secret-of-the-test",
  });
  const probe = (url: string) =>
    runProgram(command, args.map((one) => one.replace("http://127.0.0.1:8080", url)), {
      PATH: Deno.env.get("PATH") ?? "",
    });
  try {
    assert.equal((await probe(gateway.url)).code, 0);
    const closed = await fetch(`${gateway.url}/bedrock/model-invocation-jobs`);
    assert.equal(closed.status, 403, await closed.text());
  } finally {
    await gateway.stop();
    await sandbox.close();
    await Deno.remove(data, { recursive: true });
  }
  assert.equal((await probe(gateway.url)).code, 1);
});

Deno.test("compose gives what the container needs, and no more rights", async () => {
  const batchway = (parse(await read("compose.yaml")) as Yaml)["services"]?.["batchway"];
  assert.ok(batchway);
  assert.equal(batchway["read_only"], true);
  assert.deepEqual(batchway["cap_drop"], ["ALL"]);
  assert.deepEqual(batchway["volumes"], [`data:${(await containerVariables())["BATCHWAY_DATA"]}`]);
  assert.equal(`${batchway["build"]?.["dockerfile"]}`, "Dockerfile");
  await areKnown(Object.keys(batchway["environment"] ?? {}));
});

const analyze = await debianProgram({
  name: "systemd-analyze",
  package: "systemd",
  path: "usr/bin/systemd-analyze",
  probe: ["--version"],
});

Deno.test({
  name: "systemd takes the unit, and finds it well closed",
  ignore: analyze.state === "missing",
  async fn() {
    assert.ok(analyze.state === "ready");
    const folder = await Deno.makeTempDir();
    try {
      const unit = `${folder}/batchway.service`;
      const text = await read("deploy/batchway.service");
      // Its program is not installed here.
      await Deno.writeTextFile(unit, text.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true"));
      const verified = await runProgram(analyze.path, ["verify", unit], {});
      assert.deepEqual([verified.code, verified.stderr], [0, ""]);
      const args = ["security", "--offline=true", "--threshold=20", unit];
      const closed = await runProgram(analyze.path, args, {});
      assert.equal(closed.code, 0, closed.stdout.slice(-300));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the gateway starts under the unit's environment, without a home", async () => {
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const state = await Deno.makeTempDir();
  // The folder of a dynamic user is behind a symbolic link.
  const link = `${state}-link`;
  await Deno.symlink(state, link);
  const script = fileURLToPath(new URL("deploy/batchway.service", root));
  const [, line = ""] = /^Environment=(.*)$/m.exec(await Deno.readTextFile(script)) ?? [];
  const own = Object.fromEntries(
    line.replaceAll("%S/batchway", link).split(" ").map((one) => one.split("=", 2)),
  );
  const gateway = await spawnGateway({ ...own, ...sandboxEnvironment(sandbox) });
  try {
    const put = await fetch(`${gateway.url}/bedrock/files/my-bucket/k`, {
      method: "PUT",
      body: "any bytes",
      headers: { "x-model-provider": "openai" },
    });
    assert.equal(put.status, 200, await put.text());
  } finally {
    await gateway.stop();
    await sandbox.close();
    await Deno.remove(link);
    await Deno.remove(state, { recursive: true });
  }
});
