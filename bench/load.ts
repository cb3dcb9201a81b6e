/** Load: so many requests over so many kept connections, each as soon as the one before is answered. */
import type { PreparedRequest } from "./requests.ts";
import { createWireReader, framingOf, type WireReader, writeAll, writeRepeated } from "./wire.ts";

/** What a load came to. */
export interface LoadResult {
  /** Milliseconds that each request took. */
  readonly latencies: readonly number[];
  /** Seconds from the first request to the last answer. */
  readonly seconds: number;
}

/** A connection on which requests are answered one after the other. */
export interface Client {
  /** Sends a request and reads its answer past. Throws where it is not of the class 2xx. */
  exchange(request: PreparedRequest): Promise<void>;
  /** Sends a request and answers with the answer's body. */
  read(request: PreparedRequest): Promise<Uint8Array>;
  close(): void;
}

/** Connects to a server. */
export async function connectClient(url: string, bufferBytes?: number): Promise<Client> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay(true);
  const reader = createWireReader(connection, bufferBytes);

  async function send({ bytes, rest }: PreparedRequest): Promise<string> {
    await writeAll(connection, bytes);
    if (rest) await writeRepeated(connection, rest.block, rest.bytes);
    return await answerHead(reader);
  }

  return {
    async exchange(request) {
      const head = await send(request);
      if (request.isHead) return;
      const framing = framingOf(head);
      if (framing === "chunked") await reader.skipChunked();
      else await reader.skip(framing);
    },
    async read(request) {
      const framing = framingOf(await send(request));
      if (framing === "chunked") throw new Error("The answer has no length");
      return await reader.take(framing);
    },
    close: () => connection.close(),
  };
}

/** The head of an answer. Throws, with the body that says why, where it is a refusal. */
export async function answerHead(reader: WireReader): Promise<string> {
  const head = await reader.head();
  if (head === undefined) throw new Error("The server closed the connection without an answer");
  if (head.startsWith("HTTP/1.1 2")) return head;
  const framing = framingOf(head);
  const body = framing === "chunked" ? new Uint8Array() : await reader.take(framing);
  throw new Error(`Refused: ${head.split("\r\n", 1)[0]} ${new TextDecoder().decode(body)}`);
}

/** Sends `count` requests, in turn from the list, over `concurrency` connections. */
export async function runLoad(
  url: string,
  requests: readonly PreparedRequest[],
  count: number,
  concurrency: number,
): Promise<LoadResult> {
  // Many connections of small answers need no large buffers.
  const bufferBytes = concurrency > 50 ? 16 * 1024 : undefined;
  const clients: Client[] = [];
  const latencies: number[] = [];
  let next = 0;
  const work = async (client: Client) => {
    for (let at = next++; at < count; at = next++) {
      const request = requests[at % requests.length];
      if (!request) throw new Error("There is no request to send");
      const begun = performance.now();
      await client.exchange(request);
      latencies.push(performance.now() - begun);
    }
  };
  try {
    for (let n = 0; n < Math.min(concurrency, count); n++) {
      clients.push(await connectClient(url, bufferBytes));
    }
    const begun = performance.now();
    await Promise.all(clients.map(work));
    return { latencies, seconds: (performance.now() - begun) / 1000 };
  } finally {
    for (const client of clients) client.close();
  }
}
