// One component: everything that is known of it, and what it adds up to.
import type { EventBus } from "../core/bus.ts";
import type { Health } from "../core/events.ts";
import type { Criticality } from "../core/operation.ts";
import { Calls, type Watched, watchedDefaults } from "./calls.ts";
import { type Evidence, reasonsOf } from "./evidence.ts";
import { isWorse, type Part } from "./rollUp.ts";

const order: readonly Criticality[] = ["critical", "normal", "sheddable", "background"];

export class Component implements Part {
  readonly name: string;
  calls = new Calls();
  readonly probes = new Set<Evidence>();
  /** How much it matters, of each that declared it. */
  readonly declared: Criticality[] = [];
  private told: Health = "unknown";
  private watched = watchedDefaults;

  constructor(name: string) {
    this.name = name;
  }

  /** Of several the highest; what was only seen and never declared cannot bring down the whole. */
  get criticality(): Criticality {
    return order.find((one) => this.declared.includes(one)) ?? "sheddable";
  }

  /** The worst that is known. */
  get status(): Health {
    return this.worst()?.level ?? "unknown";
  }

  /** Nothing is known of it, and nobody has declared it. */
  get isEmpty(): boolean {
    return this.declared.length === 0 && this.evidence().length === 0;
  }

  /** When anything was last heard of it, epoch ms. */
  get lastAt(): number | undefined {
    const times = this.evidence().flatMap(({ lastAt }) => lastAt ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  /** What speaks against it: why it is not healthy, and what was seen that is not enough yet to change that. */
  reasons(now: number): readonly string[] {
    const evidence = this.evidence();
    if (evidence.length === 0) return ["nothing is known of it"];
    const { status } = this;
    return evidence
      .filter(({ level }) => level !== "unknown" || status === "unknown")
      .flatMap((one) => reasonsOf(one, now));
  }

  /** One event a change. */
  tell(bus: EventBus): void {
    const { status: to, told: from, name } = this;
    if (from === to) return;
    this.told = to;
    if (bus.wants("health.changed"))
      bus.emit("health.changed", { from, to, reason: this.worst()?.text ?? this.unknown() }, { name, component: name });
  }

  /** When its calls say that it is unwell. */
  watch(by: Watched): void {
    this.watched = by;
    this.calls.watch(by);
  }

  /** As new; told as what it was never known to be. */
  forget(): void {
    this.calls = new Calls();
    this.calls.watch(this.watched);
    this.told = "unknown";
  }

  private worst(): Evidence | undefined {
    let worst: Evidence | undefined;
    for (const one of this.evidence())
      if (one.level !== "unknown" && (worst === undefined || isWorse(one.level, worst.level))) worst = one;
    return worst;
  }

  private unknown(): string {
    return this.evidence()[0]?.text ?? "nobody looks any more";
  }

  private evidence(): readonly Evidence[] {
    return this.calls.lastAt === undefined ? [...this.probes] : [...this.probes, this.calls];
  }
}
