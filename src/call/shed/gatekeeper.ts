// Who is let in when there is too much to do: by the limits inside, the event loop, a measure of the user's, and fair shares.
import type { AttemptRecord } from "../../core/attempt.ts";
import { aboutOf } from "../../core/handle.ts";
import type { Bracket } from "../../core/layer.ts";
import type { LoadShedError } from "../../core/loadErrors.ts";
import type { Room } from "../../core/room.ts";
import { generation, type LiveSeams } from "../../core/seams.ts";
import type { Segment } from "../../core/stack.ts";
import { lagBy } from "./lag.ts";
import { isTooMuch, leftFree } from "./levels.ts";
import { Squeeze } from "./squeeze.ts";
import { Tenants } from "./tenants.ts";
import { belongsTo, forget, type Tenant } from "./whose.ts";

/** Options as it works with them. */
export interface Settings {
  /** `Infinity`: not looked at. */
  readonly eventLoopDelay: number;
  readonly fairBy?: ((input: never) => string) | undefined;
  readonly measure?: (() => number) | undefined;
}

export type Why = LoadShedError["why"];

/** A measure is asked again after so long, and after so many calls. */
const [measuredForMs, measuredForCalls] = [20, 32];

export class Gatekeeper {
  readonly seams: LiveSeams;
  settings: Settings;
  tenants = new Tenants();
  /** By which it stands among the layers. */
  bracket: Bracket | undefined = undefined;
  /** The pressure that the last call met. */
  last = 0;
  private born = generation();
  private squeeze = new Squeeze();
  private measured = 0;
  private measuredAt = Number.NEGATIVE_INFINITY;
  private measuredFor = 0;
  private rooms: readonly Room[] = [];
  private roomsOf: Segment | undefined = undefined;
  private readonly entered = new WeakMap<AttemptRecord, Tenant>();

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
  }

  /** Why this one is not let in. */
  refuses(attempt: AttemptRecord, rank: number): Why | undefined {
    if (this.born !== generation()) this.renew();
    const { fairBy } = this.settings;
    if (fairBy === undefined) return this.weigh(attempt.segment, rank, undefined);
    const name = this.nameOf(fairBy, attempt);
    const tenant = name === undefined ? undefined : this.tenants.come(name, this.now());
    const why = this.weigh(attempt.segment, rank, tenant);
    if (why === undefined && tenant !== undefined) {
      this.entered.set(attempt, tenant);
      belongsTo(attempt.call, tenant);
      this.tenants.enter(tenant);
    }
    return why;
  }

  /** It has its answer. */
  answered(attempt: AttemptRecord): void {
    if (this.tenants.size === 0) return;
    const tenant = this.entered.get(attempt);
    if (tenant === undefined) return;
    this.entered.delete(attempt);
    forget(attempt.call);
    tenant.among.leave(tenant);
  }

  /** The measure, or the delay as a share of what is borne: 1 is too much. */
  pressure(): number {
    const { eventLoopDelay, measure } = this.settings;
    const delayed = eventLoopDelay === Number.POSITIVE_INFINITY ? 0 : lagBy(this.seams.clock) / eventLoopDelay;
    return measure === undefined ? delayed : Math.max(delayed, this.ask(measure));
  }

  /** How long one takes inside, as far as a limit there knows. */
  latencyMs(): number {
    let longest = Number.NaN;
    for (const { latencyMs } of this.rooms) if (!(latencyMs <= longest)) longest = latencyMs;
    return longest;
  }

  private weigh(segment: Segment, rank: number, tenant: Tenant | undefined): Why | undefined {
    if (segment !== this.roomsOf) this.look(segment);
    for (const room of this.rooms) {
      const why = this.inside(room, rank, tenant);
      if (why !== undefined) return why;
    }
    const { eventLoopDelay, measure } = this.settings;
    if (eventLoopDelay === Number.POSITIVE_INFINITY && measure === undefined) return undefined;
    return this.isPressed(rank, tenant);
  }

  /** What a limit says to one of this rank. */
  private inside(room: Room, rank: number, tenant: Tenant | undefined): Why | undefined {
    const { squeeze } = this;
    const isOver = tenant !== undefined && rank > 0 && this.tenants.isOver(tenant);
    // where those who wait make room for one another, none has to be kept
    const level = rank * 2 + (isOver && !room.isFair ? 1 : 0);
    const free = room.free(rank);
    const left = Math.max(leftFree(room.size, rank), squeeze.left(room, level, this.now()));
    if (free > left || (tenant !== undefined && room.yields?.(rank, tenant))) {
      squeeze.passed(level);
      return undefined;
    }
    room.missed();
    squeeze.refused(level, room, this.now());
    if (rank === 0) return undefined; // it asks the limit itself
    return isOver && (room.isFair || free > squeeze.left(room, level - 1, this.now())) ? "fairness" : "limit";
  }

  private isPressed(rank: number, tenant: Tenant | undefined): Why | undefined {
    const pressure = this.pressure();
    this.last = pressure;
    if (!(pressure > 0)) return undefined;
    const isOver = tenant !== undefined && this.tenants.isOver(tenant) && rank > 0;
    if (!isTooMuch(pressure, rank, isOver)) return undefined;
    if (!isTooMuch(pressure, rank, false)) return "fairness";
    return this.measured >= pressure ? "measure" : "eventLoop";
  }

  private ask(measure: () => number): number {
    const now = this.now();
    if (now - this.measuredAt >= measuredForMs || ++this.measuredFor >= measuredForCalls) {
      this.measured = this.read(measure);
      this.measuredAt = now;
      this.measuredFor = 0;
    }
    return this.measured;
  }

  /** A measure that cannot be read must not be an outage: it is told, and counts as nothing to do. */
  private read(measure: () => number): number {
    try {
      const measured: unknown = measure();
      if (typeof measured === "number" && measured >= 0) return measured;
      if (measured instanceof Promise) measured.catch(() => {});
      throw new TypeError("shed: `measure` must give a number of 0 and more, and at once");
    } catch (error) {
      this.seams.events.emit("listener.failed", { heard: "shed.measure", error }, aboutOf(this.seams, "shed"));
      return 0;
    }
  }

  /** Whose call it is; of one of whom that cannot be told: nobody's. */
  private nameOf(fairBy: (input: never) => string, attempt: AttemptRecord): string | undefined {
    try {
      return fairBy(attempt.input as never);
    } catch (error) {
      this.seams.events.emit("listener.failed", { heard: "shed.fairBy", error }, attempt.call);
      return undefined;
    }
  }

  /** The limits that stand inside, with this call's operation: in one outside, this very call holds a place. */
  private look(segment: Segment): void {
    const { layers } = segment;
    const isOwn = (layer: object) => "bracket" in layer && layer.bracket === this.bracket;
    const own = layers.findIndex(({ spec }) => spec !== undefined && isOwn(spec.layer));
    this.roomsOf = segment;
    this.rooms = layers.slice(0, Math.max(0, own)).flatMap(({ room }) => room ?? []);
  }

  private now(): number {
    return this.seams.clock.monotonic();
  }

  /** As new after a `reset()`. */
  private renew(): void {
    this.born = generation();
    this.tenants = new Tenants();
    this.squeeze = new Squeeze();
    this.last = this.measured = this.measuredFor = 0;
    this.measuredAt = Number.NEGATIVE_INFINITY;
  }
}
