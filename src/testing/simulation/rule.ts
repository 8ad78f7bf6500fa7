// What must hold, as a sentence and as a look at what really happened.
import type { AnyEvent } from "../../core/events.ts";
import type { CallerLog, Run } from "./ledger.ts";
import type { World } from "./world.ts";

export type Found = (what: string) => void;

/** One thing that must hold of every simulation. It reads what the callers and services have written down. */
export interface Rule {
  readonly name: string;
  /** What must be so. */
  readonly says: string;
  /** A service is called. */
  called?(run: Run, world: World, found: Found): void;
  /** A run has ended, or is waited for no longer: whichever comes first. */
  left?(run: Run, world: World, found: Found): void;
  /** Something is told, where anybody listens: in the very moment in which it happens. */
  heard?(event: AnyEvent, world: World, found: Found): void;
  /** Everything that had to happen at a moment has happened, and time is about to go on. */
  stepped?(world: World, found: Found): void;
  /** Nothing goes on by itself any more: all that still runs are services that hang. */
  quiet?(world: World, found: Found): void;
  /** What hung has been let go, and a long time has passed. */
  ended?(world: World, found: Found): void;
}

export function nameOf(caller: CallerLog): string {
  return `call ${caller.no}`;
}

export function nameOfRun({ caller, no, service }: Run): string {
  const nth = caller === undefined ? no : caller.runs.findIndex((run) => run.no === no) + 1;
  return `run ${nth} of ${service}${caller === undefined ? "" : ` for call ${caller.no}`}`;
}
