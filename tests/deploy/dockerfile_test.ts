/**
 * The Dockerfile, carried out step by step in a folder in the place of an image: no builder was at hand.
 * The base image is what is not carried out; Node is the machine's.
 */
import assert from "node:assert/strict";
import { makeNpmPackage } from "../../packages/npm.ts";
import { attempt, runProgram } from "../program.ts";
import { read } from "./manifests.ts";

/** An image that is being built: its root, and what its instructions have set. */
interface Image {
  readonly root: string;
  readonly env: Record<string, string>;
  readonly owned: Map<string, string>;
  user: string;
  entrypoint: readonly string[];
  command: readonly string[];
  health: readonly string[];
}

/** Absolute paths of the image, in its root. */
const placed = (image: Image, text: string) =>
  text.replace(/(?<=^|[\s=])\/(tmp|data|root)\b/g, `${image.root}/$1`);

const list = (text: string): string[] => JSON.parse(text);

/** Carries out an instruction; each word that the Dockerfile uses has a row. */
const instructions: Readonly<Record<string, (image: Image, rest: string) => Promise<void> | void>> =
  {
    FROM(_, rest) {
      assert.match(rest, /^node:\d+-bookworm-slim$/);
    },
    async COPY(image, rest) {
      const [from, to, ...more] = rest.split(" ");
      assert.deepEqual([from, more], ["dist/batchway-*.tgz", []]);
      await Deno.writeFile(placed(image, to ?? ""), (await makeNpmPackage()).bytes);
    },
    async RUN(image, rest) {
      // Only root may give files away: it is written down who would have them.
      const chown = `chown() { echo "chown $1 $2"; }`;
      const { code, stdout, stderr } = await runProgram(
        "/bin/sh",
        ["-ec", `${chown}\n${placed(image, rest)}`],
        {
          // How npm reaches its registry is a matter of the machine.
          ...Deno.env.toObject(),
          npm_config_userconfig: `${Deno.env.get("HOME")}/.npmrc`,
          HOME: `${image.root}/root`,
          npm_config_prefix: `${image.root}/usr`,
        },
      );
      assert.equal(code, 0, `${rest}\n${stdout}${stderr}`);
      for (const [, owner = "", path = ""] of stdout.matchAll(/^chown (\S+) (\S+)$/gm)) {
        image.owned.set(path, owner);
      }
    },
    USER(image, rest) {
      image.user = rest;
    },
    ENV(image, rest) {
      for (const pair of rest.split(" ")) {
        const [name = "", value = ""] = pair.split("=");
        image.env[name] = placed(image, value);
      }
    },
    async VOLUME(image, rest) {
      const path = placed(image, rest);
      assert.equal(image.owned.get(path), `${image.user}:${image.user}`);
      assert.ok((await Deno.stat(path)).isDirectory);
    },
    EXPOSE(_, rest) {
      assert.equal(rest, "8080");
    },
    HEALTHCHECK(image, rest) {
      image.health = list(rest.slice(rest.indexOf("[")));
    },
    ENTRYPOINT(image, rest) {
      image.entrypoint = list(rest);
    },
    CMD(image, rest) {
      image.command = list(rest);
    },
  };

async function build(root: string): Promise<Image> {
  for (const folder of ["tmp", "root", "usr"]) await Deno.mkdir(`${root}/${folder}`);
  const image: Image = {
    root,
    env: {},
    owned: new Map(),
    user: "root",
    entrypoint: [],
    command: [],
    health: [],
  };
  const text = (await read("Dockerfile")).replaceAll("\\\n", " ");
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [word = "", ...rest] = line.split(" ");
    const carryOut = instructions[word] ?? assert.fail(`There is no row for ${word}`);
    await carryOut(image, rest.join(" "));
  }
  return image;
}

/** Runs an image as a container without a home that has the first key, until it was seen to be well. */
async function runAndCheck({ root, env, entrypoint, command, health }: Image): Promise<void> {
  const [program = "", ...args] = [...entrypoint, ...command];
  const port = freePort();
  const path = `${root}/usr/bin:${Deno.env.get("PATH") ?? ""}`;
  const child = new Deno.Command(`${root}/usr/bin/${program}`, {
    args,
    clearEnv: true,
    env: {
      ...env,
      PATH: path,
      HOME: "/proc/home",
      // Published as another port, as `docker run -p` would; the address is the image's own.
      BATCHWAY_PORT: `${port}`,
      BATCHWAY_ADMIN_KEY_ID: "CONTAINERKEY0001",
      BATCHWAY_ADMIN_SECRET: "a-secret-of-the-test",
      OPENAI_API_KEY: "any",
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  let seen = "";
  for await (const text of lines.values({ preventCancel: true })) {
    seen += text;
    if (seen.includes("listening on")) break;
  }
  const [probe = "", ...words] = health.map((one) => one.replace(":8080", `:${port}`));
  const well = await runProgram(probe, words, { PATH: path });
  child.kill("SIGTERM");
  await lines.cancel();
  const { code } = await child.status;
  assert.equal(well.code, 0, seen + well.stderr);
  assert.equal(code, 0);
  const kept = [...Deno.readDirSync(`${root}/data`)].map(({ name }) => name);
  assert.ok(kept.includes("catalog.kv"), `${kept}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Why the steps cannot be carried out here; undefined where they can. */
async function whyNot(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "its steps are of a shell";
  const known = await attempt("npm", ["view", "deno", "version"]);
  if (known === undefined) return "npm was not found";
  return known.code === 0 ? undefined : "npm does not reach a registry";
}

const reason = await whyNot();

Deno.test({
  name: "each step of the Dockerfile is carried out, and what it makes starts and is well" +
    (reason === undefined ? "" : ` (ignored: ${reason})`),
  ignore: reason !== undefined,
  async fn() {
    const root = await Deno.makeTempDir({ prefix: "batchway-image-" });
    try {
      const image = await build(root);
      assert.notEqual(image.user, "root");
      assert.deepEqual([...Deno.readDirSync(`${root}/tmp`)], []);
      await runAndCheck(image);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
