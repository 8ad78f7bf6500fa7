// Where a simulated service finds the simulation that is being played.
import type { CallContext } from "../../core/operation.ts";

/** A simulated service: what it is called, and what it gives when it is well, and when it lies. */
export interface Service {
  readonly name: string;
  readonly give: (input: never) => unknown;
  readonly lie: (input: never) => unknown;
}

/** Plays the services. */
export interface Player {
  serve(service: Service, input: unknown, context: CallContext | undefined): Promise<unknown>;
}

export const stage: { player: Player | undefined } = { player: undefined };
