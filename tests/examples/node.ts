/** Node with the packages of the JavaScript example, which are the AWS SDK's. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { attempt, cache, isStamped, makeOnce, say } from "../program.ts";
import { example } from "./session.ts";

/**
 * The JavaScript example beside its packages, which npm installs once; undefined where the machine
 * has no Node.
 */
export async function nodeProgram(): Promise<string | undefined> {
  const [code, packages] = await Promise.all(
    ["javascript/batch.js", "javascript/package.json"].map((path) =>
      Deno.readTextFile(example(path))
    ),
  );
  if ((await attempt("node", ["--version"]))?.code !== 0) return undefined;
  const folder = join(cache, "example-javascript");
  const digest = createHash("sha256").update(`${code}${packages}`).digest("hex");
  const stamp = join(folder, "example.sha256");
  let found = true;
  await makeOnce("example-javascript", () => isStamped(stamp, digest), async () => {
    say(`JavaScript example: installing its packages in ${folder} (once)`);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(join(folder, "package.json"), packages ?? "");
    await Deno.writeTextFile(join(folder, "batch.js"), code ?? "");
    const installed = await attempt("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder });
    if (installed === undefined) {
      found = false;
      return;
    }
    if (installed.code !== 0) throw new Error(`npm install failed:\n${installed.stderr}`);
    await Deno.writeTextFile(stamp, digest);
  });
  return found ? join(folder, "batch.js") : undefined;
}
