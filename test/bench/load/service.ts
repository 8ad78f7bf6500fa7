// A server process in the hands of a scenario, and how it is asked.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { fileURLToPath } from "node:url";
import type { Conduct, Declared } from "./protocol.ts";

export class Service {
  private readonly child: ChildProcess;
  private readonly port: number;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  static async start(declared: Declared): Promise<Service> {
    const file = fileURLToPath(new URL("server.ts", import.meta.url));
    const child = fork(file, [JSON.stringify(declared)], { execArgv: [] });
    const [port] = (await once(child, "message")) as [number];
    return new Service(child, port);
  }

  /** Rejects as a client does: with the system's error, with the signal's reason, or with the status that is no success. */
  ask(signal: AbortSignal, ms?: number): Promise<void> {
    const path = ms === undefined ? "/" : `/?ms=${ms}`;
    return new Promise((resolve, reject) => {
      const request = get({ host: "127.0.0.1", port: this.port, path, agent: this.agent }, (response) => {
        response.resume();
        response.once("end", () => {
          signal.removeEventListener("abort", abort);
          const { statusCode = 0 } = response;
          if (statusCode === 200) resolve();
          else reject(Object.assign(new Error(`status ${statusCode}`), { status: statusCode }));
        });
      });
      const abort = () => {
        request.destroy();
        reject(signal.reason);
      };
      request.once("error", (error) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      });
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  conduct(change: Partial<Conduct>): void {
    this.child.send(change);
  }

  /** How many requests reached it, by part of time. */
  async arrivals(): Promise<ReadonlyMap<number, number>> {
    this.child.send("arrivals");
    const [arrivals] = (await once(this.child, "message")) as [[number, number][]];
    return new Map(arrivals);
  }

  stop(): void {
    this.agent.destroy();
    this.child.kill("SIGKILL");
  }
}
