/**
 * The upstream of throughput cases, a process of its own: swallows bodies and gives bytes out on raw
 * sockets, with just enough of the wire of S3, OpenAI and Gemini that the gateway is content.
 */
import { replyTo, type UpstreamReply } from "./upstream_replies.ts";
import { block, kilo } from "./lines.ts";
import { createWireReader, framingOf, writeAll, writeRepeated } from "./wire.ts";

const encoder = new TextEncoder();
const source = block("chat");
let calls = 0;
let received = 0;

async function serve(connection: Deno.Conn, port: number): Promise<void> {
  const reader = createWireReader(connection);
  for (;;) {
    const head = await reader.head();
    if (head === undefined) return;
    const framing = framingOf(head);
    const [method = "", target = ""] = head.split(" ", 2);
    if (target === "/control/count") {
      await answer(connection, method, { json: { calls, bytes: received } });
      continue;
    }
    calls++;
    // Calls of JSON are short; whatever is longer is a file, of which nobody needs the bytes.
    const json = framing !== "chunked" && framing > 0 && framing <= 4 * kilo &&
      /\r\ncontent-type:[ \t]*application\/json\r/i.test(`${head}\r`);
    const body = json ? new TextDecoder().decode(await reader.take(framing)) : "";
    if (!json && framing === "chunked") received += await reader.skipChunked();
    else if (!json) {
      await reader.skip(framing);
      received += framing;
    }
    const given = replyTo({ method, target, head, body, bytes: Number(framing) || 0, port });
    await answer(connection, method, given);
  }
}

async function answer(
  connection: Deno.Conn,
  method: string,
  { json, bytes, headers = {} }: UpstreamReply,
): Promise<void> {
  const text = json === undefined ? "" : JSON.stringify(json);
  const length = bytes ?? encoder.encode(text).length;
  let head = `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n`;
  if (json !== undefined) head += "content-type: application/json\r\n";
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  const isSmall = length <= kilo;
  const short = method === "HEAD"
    ? ""
    : isSmall && bytes !== undefined
    ? new TextDecoder().decode(source.subarray(0, bytes))
    : text;
  await writeAll(connection, encoder.encode(`${head}\r\n${short}`));
  if (bytes !== undefined && !isSmall && method !== "HEAD") {
    await writeRepeated(connection, source, bytes);
  }
}

async function main(port: number): Promise<void> {
  for await (const connection of Deno.listen({ hostname: "127.0.0.1", port })) {
    connection.setNoDelay(true);
    // Whoever breaks a connection off has a reason; the measuring side tells of failures.
    serve(connection, port).catch(() => {}).finally(() => connection.close());
  }
}

if (import.meta.main) await main(Number(Deno.args[0]));
