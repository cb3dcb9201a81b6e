/** Requests by hand, written line by line, on one connection. */
import { connect, type RawAnswer } from "../raw.ts";

/** A connection to a gateway, closed where its block ends. */
export interface Wire extends Disposable {
  /** Sends a request's head: its line and headers, each without its end. */
  head(...lines: string[]): Promise<void>;
  /** Sends a piece of a body. */
  send(text: string): Promise<void>;
  /** Reads one answer. That to a HEAD request has no body, whatever its Content-Length. */
  answer(method?: string): Promise<RawAnswer>;
}

/** Connects to the host of a URL. */
export async function wireTo(url: string): Promise<Wire> {
  const connection = await connect(url);
  return {
    head: (...lines) => connection.write(`${lines.join("\r\n")}\r\n\r\n`),
    send: (text) => connection.write(text),
    async answer(method = "GET") {
      const answer = await connection.read({ head: method === "HEAD" });
      if (answer === undefined) throw new Error("The connection was closed without an answer");
      return answer;
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

/** The head of a request to the S3 side: its line, Host, provider and more headers. */
export function s3Head(
  method: string,
  path: string,
  provider: string,
  ...headers: string[]
): string[] {
  return [
    `${method} /bedrock/files${path} HTTP/1.1`,
    "Host: localhost:8080",
    `x-model-provider: ${provider}`,
    ...headers,
  ];
}
