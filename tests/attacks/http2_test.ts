/** HTTP/2, whose requests have an authority and no Host header. */
import assert from "node:assert/strict";
import { type ClientHttp2Session, connect } from "node:http2";
import { once } from "node:events";
import { files } from "./operations.ts";
import { signHeader, type Wire } from "./sign.ts";
import { withWorld } from "./world.ts";

async function ask(
  client: ClientHttp2Session,
  { method, path, headers }: Wire,
  authority: string,
  more: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const { host: _, ...rest } = headers;
  const stream = client.request({
    ":method": method,
    ":path": path,
    ":authority": authority,
    ...rest,
    ...more,
  });
  let status = 0;
  let body = "";
  stream.on("response", (head) => status = Number(head[":status"]));
  stream.on("data", (data) => body += data);
  stream.end();
  await once(stream, "end");
  return { status, body };
}

Deno.test("the authority of HTTP/2 is the host that was signed, and no Host header beside it may differ", async () => {
  await withWorld(async (world) => {
    const { host, keys, url, saw } = world;
    const client = connect(url);
    try {
      const wire = signHeader(host, { method: "GET", path: files }, keys.owner);
      const good = await ask(client, wire, host);
      assert.equal(good.status, 200, good.body);
      const other = await ask(client, wire, "evil.example");
      assert.equal(other.status, 403, other.body);
      assert.match(other.body, /SignatureDoesNotMatch/);
      for (const [authority, header] of [["evil.example", host], [host, "evil.example"]] as const) {
        const both = await ask(client, wire, authority, { host: header });
        assert.equal(both.status, 400, `${authority} ${header}: ${both.body}`);
      }
      saw(good.body + other.body);
    } finally {
      client.close();
      await once(client, "close");
    }
  });
});
