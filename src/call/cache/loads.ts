// The loads under way, by key: mostly one at a time, which needs no map.
import type { Key } from "./keys.ts";
import type { Load } from "./load.ts";

export class Loads {
  private first: Load | undefined = undefined;
  private others: Map<Key, Load> | undefined = undefined;

  get size(): number {
    return (this.first === undefined ? 0 : 1) + (this.others?.size ?? 0);
  }

  get all(): readonly Load[] {
    const others = this.others === undefined ? [] : [...this.others.values()];
    return this.first === undefined ? others : [this.first, ...others];
  }

  of(key: Key): Load | undefined {
    const { first, others } = this;
    return first !== undefined && isSame(first.key, key) ? first : others?.get(key);
  }

  add(load: Load): void {
    if (this.first === undefined) this.first = load;
    else {
      this.others ??= new Map();
      this.others.set(load.key, load);
    }
  }

  remove(load: Load): void {
    if (this.first === load) this.first = undefined;
    else if (this.others?.get(load.key) === load) this.others.delete(load.key);
  }
}

/** As a map has it. */
function isSame(a: Key, b: Key): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}
