import assert from "node:assert/strict";
import { startSandbox } from "../../../sandbox/server.ts";
import { temporaryFolder } from "../../catalog/memory.ts";
import { startTestGateway } from "../../gateway.ts";

/** Lists of one page, told in another way each. */
const queries = [
  "list-type=2",
  "list-type=2&encoding-type=url",
  "list-type=2&fetch-owner=true",
  "",
  "versions",
];

Deno.test("what two gateways of one catalog remember is never older than what either wrote", async () => {
  await using folder = await temporaryFolder();
  const providers = await startSandbox();
  const options = { providers, catalogPath: `${folder.path}/catalog.kv` };
  const gateways = [await startTestGateway(options), await startTestGateway(options)];
  const ask = async (at: number, method: string, path: string, body?: string) => {
    const response = await fetch(`${gateways[at]?.url}/bedrock/files/bucket${path}`, {
      method,
      headers: { "x-model-provider": "openai" },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, text: await response.text() };
  };
  const keysIn = (text: string) => [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
  try {
    const line = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';
    assert.equal((await ask(0, "PUT", "/a%20b", line)).status, 200);
    for (const at of [0, 1]) {
      const first = await Promise.all(queries.map((query) => ask(at, "GET", `?${query}`)));
      const again = await Promise.all(queries.map((query) => ask(at, "GET", `?${query}`)));
      assert.deepEqual(again, first);
      // One page, and for each way of telling it a document of its own.
      assert.equal(new Set(first.map(({ text }) => text)).size, queries.length);
      assert.deepEqual(first.map(({ text }) => keysIn(text)), [
        ["a b"],
        ["a%20b"],
        ["a b"],
        ["a b"],
        ["a b"],
      ]);
    }
    for (let n = 0; n < 10; n++) {
      const [writer, reader] = [n % 2, (n + 1) % 2];
      assert.equal((await ask(writer, "PUT", "/changing", line)).status, 200);
      for (const at of [reader, writer]) {
        assert.equal((await ask(at, "HEAD", "/changing")).status, 200);
        assert.deepEqual(keysIn((await ask(at, "GET", "?list-type=2")).text), ["a b", "changing"]);
      }
      assert.equal((await ask(writer, "DELETE", "/changing")).status, 204);
      for (const at of [reader, writer]) {
        assert.equal((await ask(at, "HEAD", "/changing")).status, 404);
        assert.deepEqual(keysIn((await ask(at, "GET", "?list-type=2")).text), ["a b"]);
      }
    }
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await providers.close();
  }
});
