/** A door in front of a simulated provider that can be shut: connections are refused then. */

/** A door. */
export interface Relay {
  /** As the gateway knows it, such as `http://127.0.0.1:1234`. */
  readonly url: string;
  /** Refuses connections from now on. Of those that are open, the ones that wait go on. */
  shut(): void;
  /** Ends the connections that are open. */
  drop(): void;
  /** Takes connections again. */
  open(): void;
  close(): Promise<void>;
}

/** Opens a door in front of a port of this machine. */
export function openRelay(target: string): Relay {
  const where = { hostname: "127.0.0.1", port: Number(new URL(target).port) };
  let listener: Deno.TcpListener | undefined;
  let port = 0;
  /** Of each connection, both sockets, and whether the answer to a request is waited for. */
  const connections = new Set<{ both: Deno.TcpConn[]; waits: boolean }>();
  const running = new Set<Promise<void>>();

  function run(work: Promise<void>): void {
    const done = work.finally(() => running.delete(done));
    running.add(done);
  }

  async function accept(from: Deno.TcpListener): Promise<void> {
    for await (const inner of from) run(carry(inner));
  }

  async function carry(inner: Deno.TcpConn): Promise<void> {
    const outer = await Deno.connect(where);
    const connection = { both: [inner, outer], waits: false };
    connections.add(connection);
    const copy = (from: Deno.TcpConn, to: Deno.TcpConn, waits: boolean) =>
      from.readable.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            connection.waits = waits;
            controller.enqueue(chunk);
          },
        }),
      ).pipeTo(to.writable).catch(() => {});
    await Promise.all([copy(inner, outer, true), copy(outer, inner, false)]);
    connections.delete(connection);
    connection.both.forEach(end);
  }

  function open(): void {
    if (listener) return;
    listener = Deno.listen({ hostname: "127.0.0.1", port });
    port = listener.addr.port;
    run(accept(listener));
  }

  function shut(): void {
    listener?.close();
    listener = undefined;
    for (const { both, waits } of connections) if (!waits) both.forEach(end);
  }

  function drop(): void {
    for (const { both } of connections) both.forEach(end);
  }

  open();
  return {
    url: `http://127.0.0.1:${port}`,
    open,
    shut,
    drop,
    async close() {
      shut();
      drop();
      await Promise.all(running);
    },
  };
}

/** Closes a socket that the end of its streams may have closed already. */
function end(socket: Deno.TcpConn): void {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
