// A limit that is found, and load shedding, before a real server in a process of its own that counts what it has in flight.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { adaptiveLimit, type Criticality, eventBus, protect, settled } from "holdfast";
import { record } from "holdfast/testing";
import { describe, expect, it } from "vitest";

/** Works at ten at a time for 20 ms each, and lets others wait. */
const program = `
  import { createServer } from "node:http";
  const line = [];
  let [busy, open, most, asked] = [0, 0, 0, 0];
  const next = () => { busy--; line.shift()?.(); };
  const server = createServer((request, response) => {
    if (request.url === "/seen") return response.end(JSON.stringify({ most, asked, open }));
    open++; asked++; most = Math.max(most, open);
    const begin = () => { busy++; setTimeout(() => { open--; response.end("done"); next(); }, 20); };
    if (busy < 10) begin(); else line.push(begin);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

async function setup() {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const ask = async (path: string, signal?: AbortSignal) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, signal === undefined ? {} : { signal })).text();
  const events = eventBus();
  const seen = record(events);
  const limit = adaptiveLimit({ reserve: { critical: 0.2 } }, { events });
  const work = protect("work", (_: void, { signal }) => ask("/work", signal), {
    adaptiveLimit: limit,
    shed: {},
    seams: { events },
  });
  return { ask, limit, seen, work, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

describe("a server under several times its load", { timeout: 30_000 }, () => {
  it("never has more in flight than the limit that was told, loses nothing of what it was asked, and the critical go last", async () => {
    using given = await setup();
    const { ask, limit, seen, work } = given;
    const none = () => ({ served: 0, refused: 0 });
    const ended = { critical: none(), normal: none(), sheddable: none(), background: none() };
    const others: unknown[] = [];
    const send = async (criticality: Criticality) => {
      const end = await settled(work)(undefined, { criticality });
      if (end.ok) ended[criticality].served++;
      else ended[criticality].refused++;
      if (!end.ok && (end.error as { code?: string }).code !== "LOAD_SHED") others.push(end.error);
    };
    const sent: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      for (const criticality of ["background", "sheddable", "normal", "normal", "background"] as const)
        for (let j = 0; j < 2; j++) sent.push(send(criticality));
      if (i % 2 === 0) sent.push(send("critical"));
      await after(5);
    }
    await Promise.all(sent);
    const told = seen.of("limit.changed").flatMap(({ from, to }) => [from, to]);
    const served = Object.values(ended).reduce((sum, one) => sum + one.served, 0);
    const at = JSON.parse(await ask("/seen")) as { most: number; asked: number; open: number };
    expect([others, at.asked, at.open, limit.running]).toEqual([[], served, 0, 0]);
    expect(at.most).toBeLessThanOrEqual(Math.max(10, ...told));
    const share = (criticality: Criticality) => {
      const { served, refused } = ended[criticality];
      return refused / (served + refused);
    };
    expect(share("critical")).toBeLessThan(share("normal"));
    expect(share("normal")).toBeLessThan(Math.min(share("sheddable"), share("background")));
  });
});
