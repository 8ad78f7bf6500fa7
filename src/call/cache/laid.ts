// A cache in the hands of whoever made it: what it was laid round, each with answers of its own, and how they are forgotten.
import type { Wrapper } from "../../core/operation.ts";
import type { LiveOptions } from "../../core/options.ts";
import type { LiveSeams } from "../../core/seams.ts";
import { LiveSpec, laying } from "../../core/wrapper.ts";
import { Cached } from "./cached.ts";
import type { Settings } from "./settings.ts";

const none: readonly WeakRef<Cached>[] = Object.freeze([]);

export class Laid {
  private readonly live: LiveOptions<Settings>;
  private readonly seams: LiveSeams;
  private laid = none;

  constructor(live: LiveOptions<Settings>, seams: LiveSeams) {
    this.live = live;
    this.seams = seams;
    live.changedBy({
      change: (settings) => () => {
        for (const cached of this.all) cached.change(settings);
      },
    });
  }

  get all(): readonly Cached[] {
    return this.laid.flatMap((one) => one.deref() ?? []);
  }

  lay(): LiveSpec<Settings> {
    const { live, seams } = this;
    const cached = new Cached(live.now, seams);
    this.laid = [...this.laid.filter((one) => one.deref() !== undefined), new WeakRef(cached)];
    return new LiveSpec("cache", live, { sharing: cached, state: () => cached.state() });
  }
}

/** Where a cache keeps what it was laid round. */
const LAID = Symbol("holdfast.laid");

/** Gives a wrapper what a cache has beside. */
export function withHandle<W extends Wrapper>(wrapper: W, laid: Laid): W & typeof handle {
  const handled = Object.defineProperty(wrapper, LAID, { value: laid });
  return Object.setPrototypeOf(handled, handle);
}

/** One for all caches, of which there may be thousands; bound when read, so that it can be destructured. */
const handle = {
  __proto__: laying,

  get delete() {
    return (input?: unknown): void => {
      for (const cached of laidBy(this)) cached.delete(input);
    };
  },
  get clear() {
    return (): void => {
      for (const cached of laidBy(this)) cached.clear();
    };
  },
};

function laidBy(cache: object): readonly Cached[] {
  return (cache as { readonly [LAID]: Laid })[LAID].all;
}
