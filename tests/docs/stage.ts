/**
 * Where the blocks of pages are run: a folder of its own as working directory, the commands of this
 * working copy on the search path, simulated providers, and a gateway on them that has a key.
 */
import { fileURLToPath } from "node:url";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import { type ProgramResult, runProgram } from "../program.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const admin = { BATCHWAY_ADMIN_KEY_ID: "BATCHWAYADMIN001", BATCHWAY_ADMIN_SECRET: "a".repeat(32) };

/** Runs shell code on the stage. */
export interface Stage {
  /** The working directory. */
  readonly folder: string;
  /** Runs a block as it stands, but for addresses, ports and what stands for a secret. */
  run(text: string): Promise<ProgramResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The program as a package or `deno task` has it. What serves is ended as Ctrl-C does once it listens,
 * and must end well.
 */
const program = (name: string) =>
  `#!/bin/sh
run() { exec "$DENO" run --quiet --no-prompt --cached-only -A --config "$ROOT/deno.json" "$@"; }
if [ ${name} = deno ]; then
  [ "$1" = task ] || { [ -e batchway.js ] || cd "$ROOT"; exec "$DENO" "$@"; }
  shift
fi
case "$1" in
start | sandbox)
  log=$(mktemp "$STAGE/serving.XXXXXX")
  "$0.serve" "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  until grep -q "listening on" "$log"; do
    kill -0 $pid 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.05
  done
  kill -INT $pid
  wait $pid || { cat "$log" >&2; exit 1; }
  cat "$log" ;;
*) run "$ROOT/batchway.ts" "$@" ;;
esac
`;

const serving = `#!/bin/sh
exec "$DENO" run --quiet --no-prompt --cached-only -A --config "$ROOT/deno.json" "$ROOT/batchway.ts" "$@"
`;

/** Sets the stage up. */
export async function openStage(): Promise<Stage> {
  const folder = await Deno.makeTempDir({ prefix: "batchway-docs-" });
  const bin = `${folder}/bin`;
  await Deno.mkdir(bin);
  for (const name of ["batchway", "deno"]) {
    await Deno.writeTextFile(`${bin}/${name}`, program(name), { mode: 0o755 });
    await Deno.writeTextFile(`${bin}/${name}.serve`, serving, { mode: 0o755 });
  }
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const providers = sandboxEnvironment(sandbox);
  const gateway = await spawnGateway({
    ...providers,
    ...admin,
    BATCHWAY_DATA: `${folder}/gateway`,
  });
  const env: Record<string, string> = {
    ...providers,
    BATCHWAY_DATA: `${folder}/data`,
    BATCHWAY_PORT: "0",
    HOME: Deno.env.get("HOME") ?? folder,
    ...(Deno.env.has("DENO_DIR") && { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" }),
    PATH: `${bin}:${Deno.env.get("PATH") ?? ""}`,
    NO_COLOR: "1",
    DENO: Deno.execPath(),
    ROOT: root,
    STAGE: folder,
    CONTROL: sandbox.controlUrl,
    TOKEN: `bwt-${admin.BATCHWAY_ADMIN_KEY_ID}-${admin.BATCHWAY_ADMIN_SECRET}`,
    ADMIN_TOKEN: `bwt-${admin.BATCHWAY_ADMIN_KEY_ID}-${admin.BATCHWAY_ADMIN_SECRET}`,
  };
  const placed = (text: string) =>
    text
      .replace(
        /(?:http:\/\/(?:localhost|127\.0\.0\.1):8080|https:\/\/batchway\.example)/g,
        gateway.url,
      )
      .replace(/(--(?:port|simulators-port) )\d+/g, "$10")
      .replace(/(_PORT=)\d+/g, "$10")
      // A variable of a secret that readers fill in is set already.
      .replace(/^export (\w+)=…/gm, 'export $1="$$$1"')
      // A key's id that readers fill in is the one that was issued before.
      .replaceAll("BWAK…", "$ID")
      .replaceAll("/var/lib/batchway", `${folder}/data`)
      .replaceAll(/(?<![\w/.])\/backup\//g, `${folder}/`);
  return {
    folder,
    run: (text) =>
      runProgram("/bin/sh", [
        "-euc",
        `cd "$STAGE"\n${placed(text).replace(/\bcurl /g, "curl -sS --fail-with-body ")}`,
      ], env),
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await sandbox.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
