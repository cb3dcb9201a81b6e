import assert from "node:assert/strict";
import { type GatewayProcess, spawnGateway } from "../gateway.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { spawnSandbox } from "./sandbox_process.ts";
import { runClient } from "./session.ts";

/** As much as OpenAI takes. */
const bytes = 200 * 2 ** 20;
/**
 * Peaks were 66 MiB (bedrock) to 168 MiB (openai) with Deno 2.9.6 in November 2026; a gateway that
 * held the file would have 260 MiB at the least.
 */
const bound = 220 * 2 ** 20;

interface Seen {
  readonly etag: string;
  readonly length: number;
  readonly same: boolean | null;
}

/** The most memory that a process ever had, in bytes. */
async function peakOf({ pid }: GatewayProcess): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1024;
}

for (
  const { provider, form, reads } of [
    { provider: "openai", form: [], reads: true },
    { provider: "bedrock", form: [], reads: true },
    { provider: "gemini", form: [], reads: false },
    { provider: "gemini", form: ["old"], reads: false },
  ] as const
) {
  const lines = form.length > 0 ? ", lines rewritten," : "";
  Deno.test({
    name: `200 MiB go through to ${provider}${lines} in less memory than they have`,
    // Elsewhere no process tells its peak.
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "batchway-large-" });
      const sandbox = await spawnSandbox(`${folder}/sandbox`);
      try {
        const gateway = await spawnGateway({
          ...sandboxEnvironment(sandbox),
          BATCHWAY_DATA: `${folder}/data`,
        });
        try {
          const args = [gateway.url, provider, `${bytes}`, folder, ...form];
          const seen = await runClient<Seen>("large.py", args, 240);
          assert.equal(seen.length, bytes);
          assert.equal(seen.same, reads ? true : null);
          const peak = await peakOf(gateway);
          assert.ok(
            peak < bound,
            `The gateway had ${peak / 2 ** 20} MiB, more than ${bound / 2 ** 20}`,
          );
          // Lines are rewritten through a file, which is gone by now.
          const left = [...Deno.readDirSync(`${folder}/data`)].map(({ name }) => name);
          assert.deepEqual(left.filter((name) => !name.startsWith("catalog.kv")), []);
        } finally {
          await gateway.stop();
        }
      } finally {
        await sandbox.close();
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
