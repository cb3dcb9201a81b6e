/** One JSONL file for all providers: boto3 puts it, runs it and reads it, in each dialect at each. */
import assert from "node:assert/strict";
import { portableModels } from "./portable/models.ts";
import { readers } from "./portable/readers.ts";
import { runClient, withGateway } from "./session.ts";

interface Seen {
  readonly faults: Readonly<Record<string, string>>;
  /** An answer by its case, which begins with the dialect of the results. */
  readonly answers: Readonly<Record<string, unknown>>;
}

const options = { configuration: portableModels, sandbox: { batchSeconds: 0.2 } };

Deno.test("a file in each dialect runs at each provider, and its results are in its own form", () =>
  withGateway(async ({ url }) => {
    const { faults, answers } = await runClient<Seen>("portable/matrix.py", [url]);
    assert.deepEqual(faults, {});
    // Nine dialects of chat at three providers and one of embeddings; but for files that go through
    // untouched, each also with a loss.
    assert.equal(Object.keys(answers).length, 28 + 24);
    let read = 0;
    for (const [name, answer] of Object.entries(answers)) {
      const reader = readers[name.split(" ")[0] ?? ""];
      if (!reader) continue;
      const served = () => Promise.resolve(Response.json(answer));
      assert.equal(await reader({ apiKey: "any", fetch: served }), "8 + 8 = 16", name);
      read += 1;
    }
    assert.equal(read, 6 * 3 + 6 * 3 - 4);
  }, options));
