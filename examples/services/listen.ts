// A server on loopback for an example: where it listens, and its end.
import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export function listen(handle: RequestListener): Promise<{ url: string; close(): void }> {
  const server: Server = createServer(handle);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close() {
          server.close();
          server.closeAllConnections();
        },
      }),
    ),
  );
}
