// How a call goes on in its own async context: by the reaction on its promise that was made when it was entered.

/** What a timer or an abort has ended. */
export interface Wakeable {
  cutShort(): void;
}

export interface Open {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

let resolving: Open["resolve"] | undefined;
let rejecting: Open["reject"] | undefined;

/** A promise to settle by hand, without a closure for each. */
export function openPromise(): Open {
  const promise = new Promise<unknown>(capture);
  const open = { promise, resolve: resolving as Open["resolve"], reject: rejecting as Open["reject"] };
  resolving = rejecting = undefined; // they would keep what the last call delivered
  return open;
}

function capture(resolve: Open["resolve"], reject: Open["reject"]): void {
  resolving = resolve;
  rejecting = reject;
}

/** What the promise resolves with when it is not the end: some things to go on with, and the promise of the end. */
export class Wake {
  readonly woken: Wakeable[];
  private readonly next: Promise<unknown>;
  private readonly over: () => void;

  constructor(next: Promise<unknown>, first: Wakeable, over: () => void) {
    this.woken = [first];
    this.next = next;
    this.over = over;
  }

  goOn(): Promise<unknown> {
    this.over();
    for (const ended of this.woken) ended.cutShort();
    return this.next.then(goOn);
  }
}

/** The reaction itself. */
export function goOn(given: unknown): unknown {
  return given instanceof Wake ? given.goOn() : given;
}
