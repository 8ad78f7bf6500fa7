// The options of a layer while it runs: what was written, what has been laid over it since, and what is in force.
import type { Finding } from "./verdict.ts";

/** One change of these options: known by itself, so that it can be taken away again whatever came after it, by whoever still has it. */
export interface Laid {
  readonly written: unknown;
}

interface Entry extends Laid {
  readonly of: WeakRef<Laid>;
}

/** A change that is checked: `make` gives whether anything is different, `back` puts back what stood before, as far as it was made. */
export interface Plan {
  make(): boolean;
  back(): void;
}

/** What each is to be when a change is made, while that is checked. */
export type Coming = Map<LiveOptions, unknown>;

/** Checks what the schema cannot; throws `OptionsInvalidError`. Nothing is changed until what it gives is called, and that cannot fail. */
interface Changing<Options> {
  change?(options: Options): () => void;
}

const none: readonly Entry[] = Object.freeze([]);
/** So many changes are kept apart before it is looked for those that nobody can take away any more. */
const fewChanges = 16;

export class LiveOptions<Options = unknown> {
  /** As parsed, in force. */
  now: Options;
  private readonly parse: (written: unknown, coming?: Coming) => Options;
  private readonly full: (written: unknown) => unknown;
  private layer: Changing<Options> | undefined = undefined;
  private own: unknown;
  private laid = none;
  private below: LiveOptions | undefined = undefined;
  private heirs: Heirs | undefined = undefined;
  private leaning: Heirs | undefined = undefined;
  private disputed: ((other: LiveOptions, coming: Coming) => readonly Finding[]) | undefined = undefined;

  /** `parse` throws `OptionsInvalidError` for what cannot be meant; `full` gives in full what was written in short. */
  constructor(parse: (written: unknown, coming?: Coming) => Options, written: unknown, full = inFull) {
    this.parse = parse;
    this.full = full;
    this.own = full(written);
    this.now = parse(written);
  }

  /** How the layer takes others; without it they stay. */
  changedBy(layer: Changing<Options>): this {
    this.layer = layer;
    return this;
  }

  get canChange(): boolean {
    return this.layer?.change !== undefined;
  }

  /** What is in force, as it was written. */
  get written(): unknown {
    return this.over(this.below?.written, this.laid);
  }

  /** From now on these stand over another's: what changes there changes here, where nothing of its own stands over it. */
  inherit(below: LiveOptions, own: unknown): void {
    this.own = this.full(own);
    this.below = below;
    below.heirs ??= new Heirs();
    below.heirs.add(this);
  }

  /** They stand only as long as others say enough: what of another's cannot be because of these, with its whole path. */
  leanOn(others: readonly LiveOptions[], disputed: (other: LiveOptions, coming: Coming) => readonly Finding[]): this {
    this.disputed = disputed;
    for (const other of others) {
      other.leaning ??= new Heirs();
      other.leaning.add(this);
    }
    return this;
  }

  /** Whether they are to be looked at when it is known what those of other layers will be. */
  get leans(): boolean {
    return this.disputed !== undefined;
  }

  /** What of these cannot be, because of options that lean on them and stay as they are. */
  disputes(coming: Coming): readonly Finding[] {
    const staying = this.leaning?.alive.filter((one) => !coming.has(one)) ?? [];
    return staying.flatMap((one) => one.disputed?.(this, coming) ?? []);
  }

  /** @throws OptionsInvalidError where that cannot be meant; nothing is changed */
  lay(over: Laid, coming: Coming = new Map()): Plan {
    const before = this.laid.length < fewChanges ? this.laid : folded(this.laid);
    const laid = [...before, { written: this.full(over.written), of: new WeakRef(over) }];
    return this.plan(this.below?.written, laid, coming);
  }

  /** Takes that one change away, and leaves the others. @throws OptionsInvalidError where they cannot stand without it */
  lift(over: Laid, coming: Coming = new Map()): Plan {
    const laid = this.laid.filter(({ of }) => of.deref() !== over);
    return this.plan(this.below?.written, laid, coming);
  }

  private over(below: unknown, laid: readonly Entry[]): unknown {
    return laid.reduce<unknown>((all, { written }) => merged(all, written), merged(below, this.own));
  }

  private plan(below: unknown, laid: readonly Entry[], coming: Coming): Plan {
    const before = { now: this.now, laid: this.laid };
    const written = this.over(below, laid);
    const now = this.parse(written, coming);
    coming.set(this, now);
    const make = same(now, before.now) ? undefined : this.layer?.change?.(now);
    const heirs = this.heirs?.alive.map((heir) => heir.plan(written, heir.laid, coming)) ?? [];
    let isMade = false;
    return {
      make: () => {
        make?.();
        isMade = true;
        if (make !== undefined) this.now = now;
        this.laid = laid;
        return heirs.reduce((changed, heir) => heir.make() || changed, make !== undefined);
      },
      back: () => {
        if (!isMade) return;
        for (const heir of heirs) heir.back();
        Object.assign(this, before);
        if (make !== undefined) this.layer?.change?.(before.now)();
      },
    };
  }
}

/** One for all that know no short form. */
function inFull(written: unknown): unknown {
  return written;
}

/** Changes in a row that nobody can take away any more are one: whoever changes every minute for a year, and keeps no undo, fills nothing. */
function folded(laid: readonly Entry[]): readonly Entry[] {
  const left: Entry[] = [];
  for (const one of laid) {
    const last = left.at(-1);
    const isOne = last !== undefined && last.of.deref() === undefined && one.of.deref() === undefined;
    if (isOne) left[left.length - 1] = { written: merged(last.written, one.written), of: one.of };
    else left.push(one);
  }
  return left;
}

/** Those that inherit, or lean on these, as long as somebody has them: a policy may outlive many of its calls. */
class Heirs {
  private list: WeakRef<LiveOptions>[] = [];
  private roomFor = 32;

  add(heir: LiveOptions): void {
    if (this.list.length >= this.roomFor) {
      this.list = this.list.filter((one) => one.deref() !== undefined);
      this.roomFor = Math.max(32, this.list.length * 2);
    }
    this.list.push(new WeakRef(heir));
  }

  get alive(): LiveOptions[] {
    return this.list.flatMap((one) => one.deref() ?? []);
  }
}

/** Option by option; what says nothing (`undefined`) stands over nothing. */
export function merged(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  return isPlain(below) && isPlain(above) ? { ...below, ...written(above) } : above;
}

/** What says something. */
export function written(given: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function isPlain(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null;
}

function same(a: unknown, b: unknown): boolean {
  if (!isPlain(a) || !isPlain(b)) return Object.is(a, b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  );
}
