/** HTTP/1.1 by hand, for what no client would send. */
import { Buffer } from "node:buffer";

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** One character a byte. */
  readonly body: string;
}

/** A connection on which requests are written by hand. */
export interface RawConnection {
  /** Writes text, one byte a character, so that `\xff` is that byte. */
  write(text: string): Promise<void>;
  /** Reads the next answer to its end; undefined where the connection is closed instead. */
  read(options?: { head?: boolean }): Promise<RawAnswer | undefined>;
  close(): void;
}

/** How long an answer is waited for before a test fails. */
const patienceMilliseconds = 20_000;

/** Connects to the host of a URL. */
export async function connect(url: string): Promise<RawConnection> {
  const [, hostname = "", port = ""] = /^http:\/\/([^/:]+):([0-9]+)/.exec(url) ?? [];
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const chunk = new Uint8Array(64 * 1024);
  let received = "";
  let ended = false;

  async function more(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`No answer in time; so far: ${JSON.stringify(received)}`)),
        patienceMilliseconds,
      );
    });
    try {
      const size = await Promise.race([readSocket(), late]);
      if (size === null) ended = true;
      else received += Buffer.from(chunk.subarray(0, size)).toString("latin1");
    } finally {
      clearTimeout(timer);
    }
    return !ended;
  }

  async function readSocket(): Promise<number | null> {
    try {
      return await socket.read(chunk);
    } catch (error) {
      // A connection that the other side threw away is closed, too.
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }

  async function until(found: () => number): Promise<number> {
    while (found() < 0) if (!await more()) return -1;
    return found();
  }

  async function take(size: number): Promise<string> {
    while (received.length < size && await more());
    const taken = received.slice(0, size);
    received = received.slice(size);
    return taken;
  }

  async function line(): Promise<string> {
    const at = await until(() => received.indexOf("\r\n"));
    return (await take(at + 2)).slice(0, -2);
  }

  async function chunks(): Promise<string> {
    let body = "";
    for (;;) {
      const size = parseInt(await line(), 16);
      body += await take(size);
      await line();
      if (size === 0 || Number.isNaN(size)) return body;
    }
  }

  return {
    async write(text) {
      const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
      for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
    },
    async read({ head = false } = {}) {
      if (await until(() => received.indexOf("\r\n\r\n")) < 0) return undefined;
      const status = Number((await line()).split(" ")[1]);
      const headers = new Headers();
      for (let one = await line(); one !== ""; one = await line()) {
        const colon = one.indexOf(":");
        headers.append(one.slice(0, colon), one.slice(colon + 1).trim());
      }
      const hasBody = !head && status !== 304 && status !== 204 && status >= 200;
      const body = !hasBody
        ? ""
        : headers.get("transfer-encoding") === "chunked"
        ? await chunks()
        : await take(Number(headers.get("content-length") ?? Infinity));
      return { status, headers, body };
    },
    close() {
      socket.close();
    },
  };
}

/** Sends one request on a connection of its own. */
export async function exchange(
  url: string,
  request: string,
  options?: { head?: boolean },
): Promise<RawAnswer | undefined> {
  const connection = await connect(url);
  try {
    await connection.write(request);
    return await connection.read(options);
  } finally {
    connection.close();
  }
}
