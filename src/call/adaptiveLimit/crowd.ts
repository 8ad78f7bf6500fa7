// Who runs under a limit that moves, and who may come in: of each criticality so many, with the shares that are kept.
import type { AttemptRecord } from "../../core/attempt.ts";
import type { EventMap } from "../../core/events.ts";
import { aboutOf } from "../../core/handle.ts";
import type { Criticality } from "../../core/operation.ts";
import type { Room } from "../../core/room.ts";
import type { LiveSeams } from "../../core/seams.ts";
import { Places } from "../bulkhead/places.ts";
import { rankOf } from "../bulkhead/queue.ts";
import { ranked } from "../shed/refusal.ts";
import { type Bounds, Finder } from "./finder.ts";

/** Options as it works with them. */
export interface Settings extends Omit<Bounds, "open"> {
  readonly reserve: Readonly<Partial<Record<Criticality, number>>>;
}

export class Crowd implements Room {
  readonly seams: LiveSeams;
  /** Who has a place, and when it is free again: as in a bulkhead, whose number another one says. */
  readonly places: Places;
  finder: Finder;
  readonly grows = true;
  private settings: Settings;
  private born: number;
  /** Shares by rank. */
  private kept: readonly number[];
  private keepsBelow: boolean;
  private readonly running = [0, 0, 0, 0];

  constructor(settings: Settings, seams: LiveSeams) {
    this.seams = seams;
    this.settings = settings;
    this.kept = keptOf(settings);
    this.keepsBelow = keepsBelow(this.kept);
    const unbounded = Number.POSITIVE_INFINITY;
    this.places = new Places(
      { concurrency: unbounded, queue: 0, queueTimeout: unbounded, abandonAfter: unbounded },
      seams,
    );
    this.born = this.places.born;
    this.finder = this.newFinder();
  }

  change(settings: Settings): void {
    this.settings = settings;
    this.kept = keptOf(settings);
    this.keepsBelow = keepsBelow(this.kept);
    this.finder.bind(this.bounds);
  }

  get size(): number {
    return this.finder.width;
  }

  get latencyMs(): number {
    return this.finder.base;
  }

  missed(): void {
    this.finder.window.miss();
  }

  free(rank: number): number {
    this.refresh();
    const { finder, kept, running } = this;
    const limit = finder.width;
    let reserved = 0;
    for (let above = 0; above < rank; above++) reserved += Math.round(limit * (kept[above] as number));
    if (this.keepsBelow)
      for (let below = rank + 1; below < kept.length; below++)
        reserved += Math.max(0, Math.round(limit * (kept[below] as number)) - (running[below] as number));
    // never the last place: where only others call, nobody would run, and nothing would be found out any more
    return limit - this.places.running - Math.min(reserved, limit - 1);
  }

  enter(attempt: AttemptRecord): boolean {
    const rank = rankOf(attempt.said?.criticality);
    if (this.free(rank) <= 0) {
      this.missed();
      return false;
    }
    this.places.enter(attempt);
    this.came(rank);
    return true;
  }

  /** A place for what is no attempt. */
  take(): boolean {
    if (this.free(1) <= 0) {
      this.missed();
      return false;
    }
    this.places.take();
    this.came(1);
    return true;
  }

  left(rank: number): void {
    this.refresh();
    if ((this.running[rank] as number) > 0) this.running[rank] = (this.running[rank] as number) - 1;
  }

  /** As new after a `reset()`. */
  refresh(): void {
    this.places.refresh();
    if (this.born === this.places.born) return;
    this.born = this.places.born;
    this.running.fill(0);
    this.finder = this.newFinder();
  }

  private came(rank: number): void {
    this.running[rank] = (this.running[rank] as number) + 1;
    this.finder.window.enter(this.places.running);
  }

  private get bounds(): Bounds {
    const { min, max } = this.settings;
    return { min, max, open: 1 - this.kept.reduce((sum, share) => sum + share, 0) };
  }

  private newFinder(): Finder {
    return new Finder(
      this.bounds,
      () => this.seams.random(),
      (facts) => this.tell(facts),
    );
  }

  private tell(facts: EventMap["limit.changed"]): void {
    const { events } = this.seams;
    if (!events.quiet) events.emit("limit.changed", facts, aboutOf(this.seams, "adaptiveLimit"));
  }
}

function keptOf({ reserve }: Settings): readonly number[] {
  return ranked.map((criticality) => reserve[criticality] ?? 0);
}

function keepsBelow(kept: readonly number[]): boolean {
  return kept.some((share, rank) => rank > 0 && share > 0);
}
