// The body of an answer: what is known, as draft-inadarei-api-health-check has it, of a size that has a limit.
import type { Health } from "../core/events.ts";
import type { Component } from "./component.ts";
import type { Registry } from "./registry.ts";
import { rollUp, worstFirst } from "./rollUp.ts";
import { timeOf } from "./words.ts";

export type Status = "pass" | "warn" | "fail";

/** So many components are told of, the worst first; but names that are whole numbers come first in every JSON object. */
const mostChecks = 100;
const mostOutput = 1_000;
const mostName = 100;

const statusOf: Readonly<Record<Health, Status>> = {
  healthy: "pass",
  unknown: "warn",
  degraded: "warn",
  unhealthy: "fail",
};

export function statusBody(status: Status, reasons: readonly string[]): object {
  return { status, ...output(status, reasons) };
}

/** The whole, and an entry a component. */
export function healthBody(registry: Registry): { readonly status: Status; readonly body: object } {
  const all = registry.components();
  const now = registry.seams.clock.now();
  const status = statusOf[rollUp(all)];
  const told = worstFirst(all).slice(0, mostChecks);
  const checks = Object.fromEntries(byKey(told.flatMap((component) => entriesOf(component, now))));
  const rest = all.length - told.length;
  const notes = rest > 0 ? [`and ${rest} more components, none of them worse than these`] : undefined;
  return { status, body: { status, ...(notes && { notes }), checks } };
}

/** Names that differ by what a key cannot have share one, and none of them hides another: the worst is first there too. */
function byKey(entries: ReadonlyArray<readonly [string, readonly object[]]>): ReadonlyMap<string, readonly object[]> {
  const all = new Map<string, readonly object[]>();
  for (const [key, told] of entries) all.set(key, [...(all.get(key) ?? []), ...told]);
  return all;
}

/** Its state, and how long its probes last took. */
function entriesOf(component: Component, now: number): ReadonlyArray<readonly [string, readonly object[]]> {
  const { lastAt, status } = component;
  // a colon separates the name of a component from that of what was measured
  const name = component.name.slice(0, mostName).replaceAll(":", "-");
  const about = {
    componentType: "component",
    status: statusOf[status],
    ...(lastAt !== undefined && { time: timeOf(lastAt) }),
  };
  const state = { ...about, observedValue: status, ...output(about.status, component.reasons(now)) };
  const took = [...component.probes].flatMap(({ elapsedMs }) =>
    elapsedMs === undefined ? [] : [{ ...about, observedValue: Math.round(elapsedMs), observedUnit: "ms" }],
  );
  return took.length === 0
    ? [[name, [state]]]
    : [
        [name, [state]],
        [`${name}:responseTime`, took],
      ];
}

/** What passes needs no words. */
function output(status: Status, reasons: readonly string[]): { readonly output?: string } {
  if (status === "pass" || reasons.length === 0) return {};
  const text = reasons.join("; ");
  return { output: text.length > mostOutput ? `${text.slice(0, mostOutput - 1)}…` : text };
}
