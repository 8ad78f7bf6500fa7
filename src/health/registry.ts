// What is known of all components, of one bus: seen on it from the moment somebody first asks, or told by probes.
import { LRUCache } from "lru-cache";
import type { EventBus } from "../core/bus.ts";
import type { EventOf } from "../core/events.ts";
import type { Criticality } from "../core/operation.ts";
import { generation, LiveSeams } from "../core/seams.ts";
import { shared } from "../core/shared.ts";
import type { FailureKind } from "../core/verdict.ts";
import { Component } from "./component.ts";
import type { Evidence } from "./evidence.ts";

/** So many components that nobody declared are remembered, the ones heard of last. */
const mostSeen = 1_000;
/** Of so many unfinished calls it is remembered that an attempt has failed. */
const mostFailing = 10_000;

type Kind = "liveness" | "readiness" | "startup";

/** What a probe is to the registry. */
export interface Probed extends Evidence {
  readonly component: string;
  readonly criticality: Criticality;
  readonly kind: Kind;
  /** The round that runs, if one does. */
  readonly running: Promise<void> | undefined;
  /** As if it had never been answered. */
  forget(): void;
}

/** In the labels of what a probe calls, the calls inside included: the component it asks about. */
export const PROBE: unique symbol = Symbol.for("holdfast/1/probe") as never;

export class Registry {
  readonly seams: LiveSeams;
  readonly probes = new Set<Probed>();
  /** What has to be done before it is ready. */
  readonly tasks = new Set<{ readonly reason: string }>();
  private readonly declared = new Map<string, Component>();
  private readonly seen = new LRUCache<string, Component>({ max: mostSeen });
  private readonly failing = new Map<string | undefined, FailureKind>();
  private born = generation();

  constructor(events: EventBus) {
    this.seams = new LiveSeams({ events });
    events.on(["attempt.failed", "call.settled", "breaker.opened", "breaker.closed"], (event) => this.hear(event));
  }

  /** All that are known, as they are now. */
  components(): readonly Component[] {
    this.refresh();
    const all = [...this.declared.values(), ...this.seen.values()];
    for (const one of all) this.look(one);
    return all.filter(({ isEmpty }) => !isEmpty);
  }

  find(name: string): Component | undefined {
    this.refresh();
    const found = this.known(name);
    if (found !== undefined) this.look(found);
    return found;
  }

  /** It matters so much, until the undo is called. */
  declare(name: string, criticality: Criticality): { readonly component: Component; undo(): void } {
    this.refresh();
    const component = this.known(name) ?? new Component(name);
    this.seen.delete(name);
    this.declared.set(name, component);
    component.declared.push(criticality);
    const undo = () => {
      component.declared.splice(component.declared.indexOf(criticality), 1);
      if (component.declared.length > 0) return;
      this.declared.delete(name);
      if (!component.isEmpty) this.seen.set(name, component);
    };
    return { component, undo };
  }

  /** Everything as new after a `reset()`; what was declared stays so. */
  refresh(): void {
    if (this.born === generation()) return;
    this.born = generation();
    this.seen.clear();
    this.failing.clear();
    this.tasks.clear();
    for (const probe of this.probes) probe.forget();
    for (const component of this.declared.values()) component.forget();
  }

  private hear(event: EventOf<"attempt.failed" | "call.settled" | "breaker.opened" | "breaker.closed">): void {
    const { type } = event;
    // how its probe's calls end is told by the probe; a breaker that they open is open to all
    const asked = (event.labels as { readonly [PROBE]?: string })[PROBE] === event.component;
    if (asked && (type === "attempt.failed" || type === "call.settled")) return;
    this.refresh();
    if (type === "attempt.failed") return this.hearFailure(event);
    const component = this.known(event.component) ?? this.meet(event.component);
    const { calls } = component;
    const { level } = calls;
    if (type === "call.settled") calls.settled(event, this.kindOf(event.call), event.at);
    else if (type === "breaker.closed") calls.breakerClosed(event.call !== undefined, event.at);
    else if (event.enforced) calls.breakerOpened(event, event.call !== undefined, event.at);
    if (calls.level !== level) component.tell(this.seams.events);
  }

  /** Remembered until its call ends: how a call ended does not say whether that counts against what was called. */
  private hearFailure({ call, kind, counts }: EventOf<"attempt.failed">): void {
    if (!counts) return;
    this.failing.set(call, kind);
    if (this.failing.size <= mostFailing) return;
    for (const oldest of this.failing.keys()) return void this.failing.delete(oldest);
  }

  private kindOf(call: string | undefined): FailureKind | undefined {
    if (this.failing.size === 0) return undefined;
    const kind = this.failing.get(call);
    this.failing.delete(call);
    return kind;
  }

  private known(name: string): Component | undefined {
    return this.declared.get(name) ?? this.seen.get(name);
  }

  private meet(name: string): Component {
    const met = new Component(name);
    this.seen.set(name, met);
    return met;
  }

  private look(component: Component): void {
    component.calls.refresh(this.seams.clock.now());
    component.tell(this.seams.events);
  }
}

const registries = shared("health", () => new WeakMap<EventBus, Registry>());

/** That of this bus; from the first time on it listens. */
export function registryOf(events: EventBus): Registry {
  let registry = registries.get(events);
  if (registry === undefined) {
    registry = new Registry(events);
    registries.set(events, registry);
  }
  registry.refresh();
  return registry;
}
