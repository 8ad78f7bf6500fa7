// A real process that is told to end, and what becomes of those who are connected to it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { repository } from "../package/project.ts";

const program = (library: string, handlers: string) => `
  import { createServer } from "node:http";
  import { setTimeout as after } from "node:timers/promises";
  import { drain, events, healthHandler, nodeHandler, problem, protect } from ${library};
  const work = protect("work", (ms, { signal }) => after(ms, "done", { signal }), { deadline: "1m" });
  const askHealth = nodeHandler(healthHandler());
  const server = createServer(async (request, response) => {
    if (request.url.endsWith("z")) return askHealth(request, response);
    try { response.end(await work(Number(request.url.slice(1)))); }
    catch (error) { const { status, headers } = problem(error); response.writeHead(status, headers).end(); }
  });
  events.on("call.started", () => console.log("begun"));
  events.on("shutdown.started", () => console.log("shutting down"));
  ${handlers}
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

const onTerm = (options: string) => `process.on("SIGTERM", async () => {
    const { finished, cancelled } = await drain(${options});
    console.log(finished + " finished, " + cancelled + " cancelled");
    server.close(); server.closeIdleConnections();
  });`;

async function setup(options: string) {
  const tsx = join(repository, "node_modules/tsx/dist/esm/index.mjs");
  const code = program(JSON.stringify(join(repository, "src/index.ts")), onTerm(options));
  const child: ChildProcess = spawn(process.execPath, ["--import", tsx, "--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: repository,
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value as string;
  const port = await line();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path: string, by?: Agent) =>
    new Promise<number>((resolve, reject) => {
      get(`http://127.0.0.1:${port}${path}`, by === undefined ? {} : { agent: by }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      }).once("error", reject);
    });
  const exit = once(child, "exit");
  return { child, line, ask, agent, exit, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

describe("a process on SIGTERM", { timeout: 60_000 }, () => {
  it("says that it is not ready, answers what it has begun, turns new work away on open connections too, and ends by itself", async () => {
    using given = await setup('{ within: "30s" }');
    const { agent, ask, child, exit, line } = given;
    expect([await ask("/readyz"), await ask("/1", agent), await line()]).toEqual([200, 200, "begun"]);
    const running = ask("/1500");
    expect(await line()).toBe("begun");
    child.kill("SIGTERM");
    expect(await line()).toBe("shutting down");
    expect(await Promise.all([ask("/readyz"), ask("/livez"), ask("/1", agent), ask("/1")])).toEqual([
      503, 200, 503, 503,
    ]);
    expect(await running).toBe(200);
    expect([await line(), await line(), await line()]).toEqual(["begun", "begun", "1 finished, 0 cancelled"]);
    expect(await exit).toEqual([0, null]);
  });

  it("loses nothing at a second SIGTERM, which joins the first", async () => {
    using given = await setup('{ within: "30s" }');
    const { ask, child, exit, line } = given;
    const running = ask("/1500");
    expect(await line()).toBe("begun");
    child.kill("SIGTERM");
    expect(await line()).toBe("shutting down");
    child.kill("SIGTERM");
    expect(await running).toBe(200);
    expect([await line(), await line()]).toEqual(["1 finished, 0 cancelled", "1 finished, 0 cancelled"]);
    expect(await exit).toEqual([0, null]);
  });

  it("ends what is not done in time, which its caller is told, and ends by itself", async () => {
    using given = await setup('{ within: "200ms" }');
    const { ask, child, exit, line } = given;
    const running = ask("/60000");
    expect(await line()).toBe("begun");
    child.kill("SIGTERM");
    expect(await running).toBe(503);
    expect([await line(), await line()]).toEqual(["shutting down", "0 finished, 1 cancelled"]);
    expect(await exit).toEqual([0, null]);
  });
});
