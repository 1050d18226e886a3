/** A stretch of network that goes dead: nothing passes and nobody is told, until it goes on where it was. */

export interface Relay extends AsyncDisposable {
  port: number;
  cut(): void;
  restore(): void;
}

/** Passes connections on to a port of this host; `hostname` is the address that it listens at. */
export function openRelay(serverPort: number, hostname = "127.0.0.1"): Relay {
  const listener = Deno.listen({ hostname, port: 0 });
  const connections = new Set<Deno.Conn>();
  const running: Array<Promise<void>> = [];
  let isClosed = false;
  let passable = Promise.withResolvers<void>();
  passable.resolve();

  async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (let size; (size = await from.read(buffer)) !== null;) {
      await passable.promise;
      for (let rest = buffer.subarray(0, size); rest.length > 0;) rest = rest.subarray(await to.write(rest));
    }
    await passable.promise;
  }

  async function serve(client: Deno.Conn): Promise<void> {
    connections.add(client);
    await passable.promise;
    if (isClosed) return client.close();
    const server = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
    connections.add(server);
    // Either side may end, in whatever way.
    await Promise.race([pass(client, server), pass(server, client)]).catch(() => {});
    for (const connection of [client, server]) if (connections.delete(connection)) connection.close();
  }

  async function accept(): Promise<void> {
    for await (const client of listener) running.push(serve(client).catch(() => {}));
  }
  running.push(accept());

  return {
    port: (listener.addr as Deno.NetAddr).port,
    cut() {
      passable.resolve();
      passable = Promise.withResolvers();
    },
    restore: () => passable.resolve(),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      listener.close();
      passable.resolve();
      for (const connection of connections) connection.close();
      connections.clear();
      await Promise.all(running);
    },
  };
}
