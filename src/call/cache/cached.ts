// What a cache does for one call: the answer it has, or a load that all who ask for it share.
import type { AttemptRecord } from "../../core/attempt.ts";
import { OptionsInvalidError } from "../../core/errors.ts";
import type { Landing } from "../../core/flight.ts";
import { instead } from "../../core/instead.ts";
import type { Attempt } from "../../core/layer.ts";
import type { CallOptions } from "../../core/operation.ts";
import type { CallRecord } from "../../core/record.ts";
import { generation, type LiveSeams } from "../../core/seams.ts";
import { Seat, type Sitter } from "../../core/seat.ts";
import type { Sharing, Stack } from "../../core/stack.ts";
import { circleOf } from "./circle.ts";
import { Entries, type Entry } from "./entries.ts";
import { HoldOff } from "./holdOff.ts";
import { givesNoKey, type Key, keyNeeded, keyOf, keyWithin } from "./keys.ts";
import { type Asked, allowsStale, type Keeper, Load } from "./load.ts";
import { Loads } from "./loads.ts";
import { OnceOnly } from "./once.ts";
import { Refresher } from "./refresh.ts";
import type { Settings } from "./settings.ts";
import { answerOf, Choosing, Direct, TOO_SLOW } from "./sitters.ts";

/** What was asked, and what is known of it when that was not good enough to be given at once. */
interface Question extends Asked {
  readonly entry: Entry | undefined;
}

export class Cached implements Sharing, Keeper {
  readonly entries: Entries;
  readonly once = new OnceOnly();
  settings: Settings;
  private readonly loads = new Loads();
  private readonly refresher = new Refresher();
  private generation = generation();

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.entries = new Entries(seams, settings.max);
  }

  /** All at once, for what is asked from now on. What is kept already is kept no longer than was said when it came. */
  change(settings: Settings): void {
    const { key, tenants } = this.settings;
    this.settings = settings;
    if (settings.key !== key || settings.tenants !== tenants) this.clear(); // by the new key it may be another's
    this.entries.resize(settings.max);
  }

  before(attempt: Attempt): unknown {
    this.renew();
    const record = attempt as AttemptRecord;
    const { call, input } = record;
    const asked = keyOf(input, this.settings, call.name);
    const key = this.keyFor(call, asked);
    const accept = record.said?.accept;
    const entry = accept === "uncached" ? undefined : this.entries.find(key);
    if (entry !== undefined) {
      const ageMs = this.entries.now - entry.at;
      if (ageMs < this.lifeOf(entry)) {
        tellHit(call, ageMs, false);
        if (entry.failedIn === undefined) return instead(entry.value, false);
        record.more.kept = { error: entry.value, call: entry.failedIn, ageMs };
        return instead(entry.value, true);
      }
      const leftMs = accept === "fresh" ? 0 : this.leftMs(entry, this.settings.whileRevalidating);
      if (leftMs > 0 && (this.settings.patience === 0 || this.isHeldOff(key, entry))) {
        this.refresh(record, key, entry, leftMs);
        return instead(giveStale(call, entry, ageMs, "stale"), false);
      }
    }
    record.more.key = { key, asked, entry: accept === "fresh" ? undefined : entry } satisfies Question;
    return input;
  }

  load(attempt: AttemptRecord, inside: Stack): Promise<unknown> {
    const question = attempt.more.key as Question;
    const accept = attempt.said?.accept;
    if (accept !== "uncached") tellMiss(attempt.call);
    if (question.entry !== undefined || accept === "fresh") return this.choose(attempt, inside, question, accept);
    const asker = new Direct(attempt);
    this.seat(asker, inside, question, accept === "uncached", 0, attempt.startedAt);
    return asker.answer;
  }

  private async choose(
    attempt: AttemptRecord,
    inside: Stack,
    question: Question,
    accept: CallOptions["accept"],
  ): Promise<unknown> {
    const { call } = attempt;
    const { entry, key } = question;
    let asked: Asked = question;
    let patience = 0;
    if (entry !== undefined && this.settings.patience > 0) {
      const leftMs = this.leftMs(entry, this.settings.whileRevalidating);
      if (leftMs > 0) {
        this.refresh(attempt, key, entry, leftMs);
        patience = this.settings.patience;
      }
    }
    for (;;) {
      const asker = new Choosing(attempt, () => this.serves(entry, this.settings.whileRevalidating, load));
      const load = this.seat(asker, inside, asked, accept === "uncached", patience, attempt.now());
      const landing = await asker.end;
      if (landing === TOO_SLOW) return giveStale(call, entry as Entry, this.ageOf(entry as Entry), "slow");
      if (landing.verdict !== undefined) {
        const { kind } = landing.verdict;
        if (allowsStale(kind) && this.serves(entry, this.settings.staleOnError, load))
          return giveStale(call, entry, this.ageOf(entry), kind);
        return answerOf(call, landing);
      } else if (accept !== "fresh" || load.flight.accept === "fresh" || !isStale(landing)) {
        return answerOf(call, landing);
      }
      if (load.unkept) asked = this.askedBy(attempt); // by another key, it may be
    }
  }

  fits(schema: unknown, name: string): void {
    if (this.settings.key === undefined && givesNoKey(schema))
      throw new OptionsInvalidError(name, [{ path: "cache.key", wanted: keyNeeded }]);
  }

  has(input: unknown, asking: AttemptRecord | undefined): boolean {
    this.renew();
    const accept = asking?.said?.accept;
    if (accept === "uncached") return false;
    try {
      const entry = this.entries.peek(this.keyFor(asking?.call, keyOf(input, this.settings, "")));
      return this.serves(entry, accept === "fresh" ? 0 : this.longestStale);
    } catch {
      return false; // an input that a layer outside has yet to put right may have no key
    }
  }

  /** What it would serve if the operation failed now, for a call that cannot wait. */
  stale({ call, input, said }: AttemptRecord): { readonly value: unknown; readonly ageMs: number } | undefined {
    if (said?.accept === "fresh" || said?.accept === "uncached") return undefined;
    const entry = this.entries.find(this.keyFor(call, keyOf(input, this.settings, call.name)));
    if (!this.serves(entry, this.longestStale)) return undefined;
    return { value: entry.value, ageMs: this.ageOf(entry) };
  }

  over(load: Load): void {
    this.loads.remove(load);
  }

  holdsAnswer(key: Key): boolean {
    const entry = this.entries.peek(key);
    return this.serves(entry, this.longestStale) && entry.failedIn === undefined;
  }

  /** Of all tenants; what is being loaded now serves those who wait for it, and is not kept. */
  delete(input: unknown): void {
    const asked = keyOf(input, this.settings, "cache");
    this.entries.dropAsked(asked);
    for (const load of this.loads.all) if (load.asked === asked) this.letGo(load);
  }

  clear(): void {
    this.entries.clear();
    for (const load of this.loads.all) this.letGo(load);
  }

  state(): { readonly entries: number; readonly loading: number } {
    this.renew();
    return { entries: this.entries.size, loading: this.loads.size };
  }

  private seat(
    asker: Sitter,
    inside: Stack,
    asked: Asked,
    apart: boolean,
    patienceMs: number,
    startedAt: number,
  ): Load {
    const { attempt } = asker;
    const load = this.loadFor(attempt, inside, asked, apart, startedAt);
    load.flight.join(new Seat(load.flight, asker, patienceMs));
    if (load.flight.root === null) load.flight.begin(attempt);
    return load;
  }

  private loadFor(attempt: AttemptRecord, inside: Stack, asked: Asked, apart: boolean, startedAt: number): Load {
    const known = apart ? undefined : this.loads.of(asked.key);
    if (known?.flight.runs(attempt.call))
      throw new OptionsInvalidError(attempt.call.name, [circleOf(attempt.call, known.flight)]);
    if (known !== undefined) return known;
    const load = new Load(this, inside, attempt.input, asked, apart, startedAt);
    if (!apart) this.loads.add(load);
    return load;
  }

  private refresh(attempt: AttemptRecord, key: Key, entry: Entry, leftMs: number): void {
    if (this.loads.of(key) !== undefined || this.isHeldOff(key, entry)) return;
    this.refresher.begin(attempt, leftMs, () => {
      if (this.entries.peek(key) !== entry) return; // it is renewed, or forgotten
      entry.holdOff ??= new HoldOff();
      entry.holdOff.failedAgain(this.entries.now, this.settings.whileRevalidating);
    });
  }

  /** Whether nobody loads it and no refresh may begin. */
  private isHeldOff(key: Key, { holdOff }: Entry): boolean {
    return holdOff?.holds(this.entries.now) === true && this.loads.of(key) === undefined;
  }

  private letGo(load: Load): void {
    load.unkept = true;
    this.over(load);
  }

  private renew(): void {
    if (this.generation === generation()) return;
    this.generation = generation();
    this.clear();
  }

  private askedBy({ call, input }: AttemptRecord): Asked {
    const asked = keyOf(input, this.settings, call.name);
    return { key: this.keyFor(call, asked), asked };
  }

  /** The same question of another tenant is another one, where they are apart. */
  private keyFor(call: CallRecord | undefined, asked: Key): Key {
    return keyWithin(this.settings.tenants === "apart" ? call?.labels.tenant : undefined, asked);
  }

  /** For how long after its lifetime an answer may serve, one way or the other. */
  private get longestStale(): number {
    return Math.max(this.settings.staleOnError, this.settings.whileRevalidating);
  }

  /** What is declared since may shorten it, and prolongs nothing. */
  private lifeOf({ failedIn, ttl }: Entry): number {
    const declared = failedIn === undefined ? this.settings.ttl : this.settings.negative;
    return typeof declared === "number" && declared < ttl ? declared : ttl;
  }

  private ageOf({ at }: Entry): number {
    return this.entries.look() - at;
  }

  /** For how much longer it may be served though it is stale, for so long after its lifetime. */
  private leftMs(entry: Entry, staleMs: number): number {
    return entry.failedIn !== undefined || staleMs === 0 ? 0 : this.lifeOf(entry) + staleMs - this.ageOf(entry);
  }

  private serves(entry: Entry | undefined, staleMs: number, load?: Load): entry is Entry {
    if (entry === undefined || load?.unkept) return false;
    return this.ageOf(entry) < this.lifeOf(entry) || this.leftMs(entry, staleMs) > 0;
  }
}

function isStale({ flight }: Landing): boolean {
  return flight.rare?.degraded?.ageMs !== undefined;
}

function giveStale(call: CallRecord, { value }: Entry, ageMs: number, reason: string): unknown {
  call.more.degraded = { reason, ageMs };
  tellHit(call, ageMs, true);
  return value;
}

function tellHit(call: CallRecord, ageMs: number, stale: boolean): void {
  const { events } = call.stack.seams;
  if (!events.quiet) events.emit("cache.hit", { ageMs, stale }, call);
}

function tellMiss(call: CallRecord): void {
  const { events } = call.stack.seams;
  if (!events.quiet) events.emit("cache.missed", {}, call);
}
