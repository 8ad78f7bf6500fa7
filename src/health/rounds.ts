// The rounds of one probe: never two at a time, each told to the registry, until it is stopped.
import type { Health } from "../core/events.ts";
import type { CallContext, Criticality } from "../core/operation.ts";
import { LiveSeams, type Seams } from "../core/seams.ts";
import { armOnce, armUnheld, disarm, Timed } from "../core/timers.ts";
import { Check } from "./check.ts";
import type { Component } from "./component.ts";
import { Gauge, type Thresholds } from "./gauge.ts";
import { type Probed, type Registry, registryOf } from "./registry.ts";

export interface RoundSettings extends Thresholds {
  readonly every: number;
  readonly timeout: number;
  readonly slowAfter: number;
  readonly criticality: Criticality;
  readonly kind: Probed["kind"];
}

interface Place {
  readonly registry: Registry;
  readonly component: Component;
  leave(): void;
}

/** After its time a round has still to end. */
const heldLongerMs = 100;

class Held extends Timed {
  expire(): void {}
}

export class Rounds extends Timed implements Probed {
  readonly component: string;
  readonly kind: Probed["kind"];
  readonly criticality: Criticality;
  running: Promise<void> | undefined = undefined;
  since = 0;
  lastAt: number | undefined = undefined;
  /** How long the last run took. */
  elapsedMs: number | undefined = undefined;
  private readonly seams: LiveSeams;
  private readonly every: number;
  private readonly timeout: number;
  private readonly check: Check;
  private readonly gauge: Gauge;
  private place: Place | undefined;
  /** What the last answer was, in a few words. */
  private last = "";
  /** Grows when it is as new: what was asked before is no answer any more. */
  private era = 0;
  /** What the last answer of each kind was. */
  private readonly seen: Record<Health, string> = {
    unknown: "its check has not answered yet",
    healthy: "",
    degraded: "",
    unhealthy: "",
  };

  constructor(
    component: string,
    check: (context: CallContext) => unknown,
    settings: RoundSettings,
    seams: Partial<Seams> | undefined,
  ) {
    super(0);
    this.component = component;
    this.kind = settings.kind;
    this.criticality = settings.criticality;
    this.every = settings.every;
    this.timeout = settings.timeout;
    this.seams = new LiveSeams(seams);
    this.check = new Check(component, check, settings, seams);
    this.gauge = new Gauge(settings, true);
    this.place = this.take();
    void this.round();
  }

  get level(): Health {
    return this.gauge.level;
  }

  get text(): string {
    return this.seen[this.level];
  }

  pending(): string | undefined {
    const { row } = this.gauge;
    if (row === undefined) return undefined;
    const told = row.to === "unhealthy" ? "failed in a row" : "in a row were slow or failed";
    return `${row.count} of ${row.of} checks ${told}: ${this.last}`;
  }

  /** Somebody waits for it: the process lives as long as that may take. */
  async now(): Promise<Health> {
    const held = new Held(this.seams.clock.monotonic());
    armOnce(this.seams.clock, this.timeout + heldLongerMs, held);
    await this.round();
    disarm(held);
    return registryOf(this.seams.events).find(this.component)?.status ?? "unknown";
  }

  stop(): void {
    const { place } = this;
    if (place === undefined) return;
    this.place = undefined;
    disarm(this);
    this.check.end();
    place.leave();
    place.component.tell(this.seams.events);
  }

  forget(): void {
    this.era++;
    this.gauge.become("unknown");
    this.lastAt = this.elapsedMs = undefined;
  }

  /** The time of the next round has come. */
  expire(): void {
    this.timer = null;
    void this.round();
  }

  private round(): Promise<void> {
    if (this.place === undefined) return Promise.resolve();
    this.running ??= this.runs();
    return this.running;
  }

  private async runs(): Promise<void> {
    disarm(this);
    const { clock } = this.seams;
    const startedAt = clock.monotonic();
    const { era } = this;
    const found = await this.check.run();
    this.running = undefined;
    const place = this.reside();
    if (place === undefined) return;
    if (era === this.era) {
      const { level } = this;
      this.lastAt = place.registry.seams.clock.now();
      this.gauge.hear(found.result);
      this.elapsedMs = found.elapsedMs;
      this.seen[found.result] = found.text;
      this.last = found.brief;
      if (this.level !== level) this.since = this.lastAt;
      place.component.tell(this.seams.events);
    }
    this.wait(clock.monotonic() - startedAt);
  }

  private wait(goneMs: number): void {
    if (this.place === undefined || this.running !== undefined) return; // who heard of it may have stopped or asked it
    const rests = this.kind === "startup" && this.level !== "unhealthy" && this.level !== "unknown";
    if (rests) return;
    const wait = this.every * (0.9 + 0.2 * this.seams.random()) - goneMs;
    this.startedAt = this.seams.clock.monotonic();
    armUnheld(this.seams.clock, Math.max(1, wait), this);
  }

  /** On the bus that is in force now, where another was put in place. */
  private reside(): Place | undefined {
    const { place } = this;
    // asked for each time: it is as new after a reset
    if (place !== undefined && place.registry !== registryOf(this.seams.events)) {
      place.leave();
      this.place = this.take();
    }
    return this.place;
  }

  private take(): Place {
    const registry = registryOf(this.seams.events);
    const { component, undo } = registry.declare(this.component, this.criticality);
    registry.probes.add(this);
    component.probes.add(this);
    const leave = () => {
      registry.probes.delete(this);
      component.probes.delete(this);
      undo();
    };
    return { registry, component, leave };
  }
}
