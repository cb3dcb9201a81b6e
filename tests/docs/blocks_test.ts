/** Blocks of code of the pages, run as they stand (`proofs.ts` says which). */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/config.ts";
import { attempt } from "../program.ts";
import { type Block, blocksOf, readBlocks } from "./blocks.ts";
import { proofs } from "./proofs.ts";
import { openStage } from "./stage.ts";

const blocks = await readBlocks();

for (const block of blocks) {
  const proof = proofs[block.name];
  if (proof === "configuration") Deno.test(`taken as it stands: ${block.name}`, () => take(block));
  if (typeof proof !== "object" || !("run" in proof)) continue;
  const [needed, ...probe] = proof.needs ?? [];
  const isMissing = needed !== undefined && (await attempt(needed, probe))?.code !== 0;
  Deno.test({
    name: `runs as it stands: ${block.name}${isMissing ? ` (ignored: no ${needed})` : ""}`,
    ignore: isMissing || Deno.build.os === "windows",
    async fn() {
      await using stage = await openStage();
      const { code, stdout, stderr } = await stage.run(`${proof.run}\n${block.text}`);
      assert.equal(code, 0, `${stdout}${stderr}`);
      if (proof.prints) assert.match(stdout + stderr, proof.prints);
    },
  });
}

/** Reads a configuration, or members of one, as a gateway does. */
async function take({ text, page }: Block): Promise<void> {
  const whole = text.trimStart().startsWith("{") ? text : `{${text}}`;
  const secrets = Object.fromEntries(
    [...whole.matchAll(/\$\{(\w+)\}/g)].map((
      [, name = ""],
    ) => [name, `whsec_${btoa("x".repeat(32))}`]),
  );
  const providers = {
    OPENAI_API_KEY: "any",
    GEMINI_API_KEY: "any",
    ANTHROPIC_API_KEY: "any",
    AWS_REGION: "us-west-2",
  };
  const config = await parseConfig({ ...providers, ...secrets }, whole, page);
  assert.deepEqual(config.notes, []);
}

Deno.test("blocks are found with their names, and repeated ones apart", () => {
  const page = "```sh\n  a b\n```\n\n```text\nx\n```\n```jsonc\n{\n```\n```json\n{\n```\n";
  assert.deepEqual(blocksOf("p.md", page).map(({ name, language }) => [name, language]), [
    ["p.md: a b", "sh"],
    ["p.md: {", "jsonc"],
    ["p.md: { (2)", "json"],
  ]);
});
