// Health over HTTP, for an orchestrator and for people: from what is known, so that it is answered under any load.
import { z } from "zod";
import { readinessHolds } from "../core/readiness.ts";
import { LiveSeams } from "../core/seams.ts";
import { parseOptions } from "../core/wrapper.ts";
import { passedOn } from "./passedOn.ts";
import { firstAnswers, liveness, type Readiness, readiness, startUp } from "./readiness.ts";
import { type Probed, type Registry, registryOf } from "./registry.ts";
import { healthBody, type Status, statusBody } from "./report.ts";

export interface HealthHandlerOptions {
  /** The path under which it is mounted, where the framework does not take it off; default none. */
  base?: string | undefined;
}

const schema = z.strictObject({
  base: z
    .string()
    .regex(/^(?:\/[^/?#]+)*\/?$/, 'a path such as "/ops"')
    .default("")
    .transform((path) => path.replace(/\/$/, "")),
});

interface Answer {
  readonly status: Status;
  readonly body: object;
}

interface Path {
  /** The probes whose first answer it waits for. */
  readonly waitsFor: ReadonlyArray<Probed["kind"]>;
  of(registry: Registry): Answer;
}

const paths: Readonly<Record<string, Path>> = {
  "/livez": { waitsFor: [], of: (registry) => answered(liveness(registry)) },
  "/readyz": { waitsFor: ["startup", "readiness"], of: (registry) => answered(readiness(registry)) },
  "/startupz": { waitsFor: ["startup"], of: (registry) => answered(startUp(registry)) },
  "/health": { waitsFor: ["startup", "readiness", "liveness"], of: healthBody },
};

/**
 * Answers `GET` and `HEAD` of `/livez`, `/readyz`, `/startupz` and `/health`: 200, or 503 when not alive, not ready, not
 * started, or unhealthy, as `application/health+json`. No check runs for a request; only before its very first answer is
 * a probe waited for, no longer than its `timeout`. Another method gets a 405, another path a 404, which `nodeHandler`
 * takes for "not mine".
 * @see "Health Check Response Format for HTTP APIs", I. Nadareishvili, draft-inadarei-api-health-check, 2021
 * @example
 * const answer = await healthHandler()(new Request("http://localhost/livez"));
 * console.log(answer.status, await answer.json()); // → 200 { status: 'pass' }
 */
export function healthHandler(options: HealthHandlerOptions = {}): (request: Request) => Promise<Response> {
  const { base } = parseOptions("healthHandler", schema, options);
  registryNow(); // it is asked for: what calls tell is kept from now on
  return async (request) => {
    const path = pathOf(request, base);
    const asked = path !== undefined && Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (asked === undefined) return passedOn(notFound());
    const { method } = request;
    if (method !== "GET" && method !== "HEAD")
      return new Response("Method Not Allowed", { status: 405, headers: { allow: "GET, HEAD", ...noStore } });
    const registry = registryNow();
    const first = firstAnswers(registry, asked.waitsFor);
    // who shuts down says so at once
    if (first.length > 0 && readinessHolds().length === 0) await Promise.all(first);
    const { status, body } = asked.of(registry);
    return new Response(method === "HEAD" ? null : JSON.stringify(body), {
      status: status === "fail" ? 503 : 200,
      headers: { "content-type": "application/health+json", ...noStore },
    });
  };
}

function notFound(): Response {
  const text = "Not Found";
  return new Response(text, { status: 404, headers: { "content-length": String(text.length), ...noStore } });
}

const noStore = { "cache-control": "no-store" };

function pathOf({ url }: Request, base: string): string | undefined {
  const path = new URL(url).pathname;
  if (!path.startsWith(`${base}/`)) return undefined;
  return path.slice(base.length).replace(/(?<=.)\/$/, "");
}

function answered({ ready, reasons }: Readiness): Answer {
  const status = ready ? "pass" : "fail";
  return { status, body: statusBody(status, reasons) };
}

function registryNow(): Registry {
  return registryOf(new LiveSeams().events);
}
