/** A stretch of network between a client and a PostgreSQL server, with the faults of one. */

/** What becomes of the next commit that passes. */
export type CommitFault =
  /** It never reaches the server: the connection is cut before. */
  | "lost on the way"
  /** The server does it, and the connection is cut before the client is told. */
  | "answer lost";

export interface Proxy extends AsyncDisposable {
  port: number;
  /** Connections that were made. */
  readonly count: number;
  /** What happens to the next commit, once. */
  faultAtCommit(fault: CommitFault): void;
  /** On the connections that there are nothing passes any more, and nobody is told. */
  freeze(): void;
  /** Cuts every connection. */
  cut(): void;
}

/**
 * Opens a proxy to a server of this host. `rewrite` may change what clients send, in its place: it gets what has come so
 * far, whole statements where those are short.
 */
export function openProxy(serverPort: number, rewrite = (_sent: Uint8Array) => {}): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<{ close(): void; freeze(): void }>();
  const running: Array<Promise<void>> = [];
  let fault: CommitFault | undefined;
  let count = 0;

  async function serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
    const state = { isMuted: false, isFrozen: false };
    const connection = {
      close() {
        if (!connections.delete(connection)) return;
        client.close();
        server.close();
      },
      freeze: () => void (state.isFrozen = true),
    };
    connections.add(connection);

    /** Passes on what comes, until either side has ended. */
    async function pass(
      from: Deno.Conn,
      to: Deno.Conn,
      look: (text: string, bytes: Uint8Array) => boolean,
    ): Promise<void> {
      const buffer = new Uint8Array(64 * 1024);
      try {
        for (let size; (size = await from.read(buffer)) !== null;) {
          if (state.isFrozen) continue;
          const bytes = buffer.subarray(0, size);
          if (!look(new TextDecoder().decode(bytes), bytes)) break;
          for (let rest = bytes; rest.length > 0;) {
            rest = rest.subarray(await to.write(rest));
          }
        }
      } catch (error) {
        // Whatever way the other one has ended.
        if (!(error instanceof Error)) throw error;
      }
      connection.close();
    }

    await Promise.all([
      pass(client, server, (text, bytes) => {
        rewrite(bytes);
        if (fault === undefined || !text.includes("COMMIT\0")) return true;
        const isLost = fault === "lost on the way";
        state.isMuted = !isLost;
        fault = undefined;
        return !isLost;
      }),
      pass(server, client, (text) => !(state.isMuted && text.includes("COMMIT"))),
    ]);
  }

  async function accept(): Promise<void> {
    for await (const client of listener) {
      count++;
      running.push(serve(client));
    }
  }
  running.push(accept());

  return {
    port: (listener.addr as Deno.NetAddr).port,
    get count() {
      return count;
    },
    faultAtCommit: (next) => fault = next,
    freeze() {
      for (const connection of connections) connection.freeze();
    },
    cut: () => connections.forEach((connection) => connection.close()),
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      await Promise.all(running);
    },
  };
}
