// A circuit for each key, of the keys seen last.
import type { LiveSeams } from "../../core/seams.ts";
import { Keyed } from "../keyed.ts";
import { CircuitBracket } from "./bracket.ts";
import { Circuit } from "./circuit.ts";
import { stateOf } from "./handle.ts";
import type { Settings } from "./settings.ts";

/** So many keys have a circuit at a time. */
export const mostKeys = 1_000;

export class Circuits {
  settings: Settings;
  private readonly seams: LiveSeams;
  /** A break would end if its circuit were forgotten: the closed ones go first, the one used longest ago before others. */
  private readonly kept = new Keyed<CircuitBracket>(mostKeys, ({ circuit }) => circuit.isClosed);

  constructor(settings: Settings, seams: LiveSeams) {
    this.settings = settings;
    this.seams = seams;
  }

  at(key: string): CircuitBracket {
    if (typeof key !== "string") throw new TypeError(`The key of a breaker has to be a string, not ${typeof key}.`);
    return this.kept.get(key) ?? this.kept.add(key, new CircuitBracket(new Circuit(this.settings, this.seams, key)));
  }

  /** For all keys: those that are known, and those to come. */
  change(settings: Settings): void {
    this.settings = settings;
    for (const [, { circuit }] of this.kept.entries()) circuit.change(settings);
  }

  /** Without making one, or counting as a use. */
  known(key: string): CircuitBracket | undefined {
    return this.kept.peek(key);
  }

  /** For people: how many there are, and those that are not closed. */
  state(): { readonly keys: number; readonly notClosed: Readonly<Record<string, object>> } {
    const notClosed = [...this.kept.entries()].filter(([, { circuit }]) => !circuit.isClosed);
    return {
      keys: this.kept.size,
      notClosed: Object.fromEntries(notClosed.map(([key, { circuit }]) => [key, stateOf(circuit)])),
    };
  }
}
