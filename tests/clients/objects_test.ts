import assert from "node:assert/strict";
import { generateLine, line } from "./calls.ts";
import { heldFiles, ledgerOf, runClient, withGateway } from "./session.ts";

const providers = ["bedrock", "openai", "gemini"] as const;

/** What `objects.py` asserts; with which providers no file may be left at its end. */
const scenarios = {
  path_style: { what: "keys of every kind arrive byte for byte", leavesNothing: true },
  virtual_host_style: {
    what: "keys of every kind arrive byte for byte, with the bucket in the host's name,",
    leavesNothing: true,
  },
  headers: { what: "an object's headers, metadata and checksums are kept", leavesNothing: false },
  conditions: { what: "a file is found by key, If-Match and id", leavesNothing: true },
  lists: {
    what: "objects are listed in the order of their bytes, in pages,",
    leavesNothing: false,
  },
} as const;

for (const provider of providers) {
  for (const [scenario, { what, leavesNothing }] of Object.entries(scenarios)) {
    Deno.test(`${what} at ${provider}`, () =>
      withGateway(async ({ url, sandbox }) => {
        assert.equal(await runClient("objects.py", [url, provider, scenario]), "right");
        if (!leavesNothing || provider === "bedrock") return;
        assert.deepEqual(await heldFiles(sandbox, provider), []);
      }));
  }
}

for (const [provider, one] of [["openai", line], ["gemini", generateLine]] as const) {
  Deno.test(`a put on an existing key deletes the provider file before it at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const target = `${url}/bedrock/files/my-bucket/same.jsonl`;
      const headers = { "x-model-provider": provider };
      const etags: string[] = [];
      for (const n of [1, 2, 3]) {
        const answer = await fetch(target, {
          method: "PUT",
          headers,
          body: one.replace('"a"', `"${n}"`),
        });
        await answer.body?.cancel();
        etags.push(answer.headers.get("etag")?.replaceAll('"', "").replace("files/", "") ?? "");
      }
      assert.equal(new Set(etags).size, 3);
      assert.deepEqual(await heldFiles(sandbox, provider), etags.slice(-1));
      await (await fetch(target, { method: "DELETE", headers })).body?.cancel();
      assert.deepEqual(await heldFiles(sandbox, provider), []);
    }));
}

Deno.test("uploads carry the purpose and name that OpenAI asks for", () =>
  withGateway(async ({ url, sandbox }) => {
    const key = `folder/${encodeURIComponent("naïve 🦕.txt")}`;
    const answer = await fetch(`${url}/bedrock/files/my-bucket/${key}`, {
      method: "PUT",
      headers: { "x-model-provider": "openai" },
      body: line,
    });
    await answer.body?.cancel();
    const [file] = (await ledgerOf(sandbox)).holdings["openai"]?.["files"]?.items ?? [];
    assert.equal(file?.["purpose"], "batch");
    assert.match(`${file?.["filename"]}`, /^naïve 🦕\.txt.*\.jsonl$/);
  }));
