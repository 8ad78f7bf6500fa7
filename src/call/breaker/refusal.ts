// How a circuit says no: as an error, and as an event.
import type { About } from "../../core/bus.ts";
import { refusal } from "../../core/refusal.ts";
import { Alike } from "./alike.ts";
import type { Circuit } from "./circuit.ts";
import { words } from "./phase.ts";

/** The share of calls that a ramp lets through at its very beginning. */
const leastShare = 0.1;

/** Ms until the ramp is over, if it turns this call away; else 0. */
export function rampMs(circuit: Circuit): number {
  const { phase, seams, settings } = circuit;
  if (!circuit.isClosed || phase.is !== "closed" || phase.rampUntil === 0) return 0;
  const left = phase.rampUntil - seams.clock.monotonic();
  if (left <= 0) circuit.endRamp();
  else if (seams.random() >= Math.max(leastShare, 1 - left / settings.ramp)) return left;
  return 0;
}

/** What a layer gives back for a refusal; `undefined` where it only observes. */
export function refuse(circuit: Circuit, waitMs: number, about: About): unknown {
  if (!tellRefused(circuit, waitMs, about)) return undefined;
  const nextProbeMs = waitMs === Number.POSITIVE_INFINITY ? undefined : Math.ceil(waitMs);
  const breaker = nameOf(circuit, about.component);
  circuit.refusals ??= new Alike();
  return refusal(circuit.refusals.error(about.name, breaker, why(circuit), nextProbeMs));
}

/** Gives whether it is meant. */
export function tellRefused({ seams, settings }: Circuit, waitMs: number, about: About): boolean {
  const { events } = seams;
  const enforced = settings.mode === "enforce";
  if (!events.quiet) events.emit("breaker.refused", { nextProbeMs: Math.ceil(waitMs), enforced }, about);
  return enforced;
}

/** Whose events they are that no call causes. */
export function aboutOf(circuit: Circuit): About {
  const component = circuit.seams.name ?? "breaker";
  return { name: nameOf(circuit, component), component };
}

function nameOf({ seams, key }: Circuit, component: string): string {
  const name = seams.name ?? component;
  return key === undefined ? name : `${name}[${key}]`;
}

function why({ isolated, phase }: Circuit): string {
  if (isolated !== undefined) return words.isolated;
  if (phase.is === "closed") return "it is ramping up after a break";
  const opened = words[phase.broken.why];
  return phase.is === "open" ? opened : `${opened} and is being tried by other calls`;
}
