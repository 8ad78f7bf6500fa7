// The calls in flight in this process, and who may begin: what a drain reads, waits for and closes.
import { generation } from "./seams.ts";
import { shared } from "./shared.ts";

/** What of a call a drain needs to know. */
export interface Flying {
  readonly component: string;
  readonly parent: { readonly call: Flying } | null;
}

/** One drain, from its beginning: of the whole process, or of one component. */
export interface Draining {
  readonly component: string | undefined;
  /** Of the reset after which it began: an earlier one closes nothing. */
  readonly born: number;
  /** Nothing new is begun any more. */
  readonly closed: boolean;
  readonly end: Promise<unknown>;
  /** One of its calls has ended. */
  left(): void;
}

/** The link of a call to the others: in the record itself, so that each call costs no more than a few pointers. */
export abstract class Linked implements Flying {
  abstract readonly component: string;
  abstract readonly parent: { readonly call: Flying } | null;
  isFlying = false;
  begunBefore: Linked | null = null;
  begunAfter: Linked | null = null;
}

/** Of all copies of the package; `drains` is empty unless one is on. */
const process = shared("inFlight", () => ({
  latest: null as Linked | null,
  born: 0,
  drains: [] as readonly Draining[],
}));

export function takeOff(call: Linked): void {
  if (process.born !== generation()) forget();
  const { latest } = process;
  call.isFlying = true;
  call.begunBefore = latest;
  if (latest !== null) latest.begunAfter = call;
  process.latest = call;
}

/** It has ended, and the body it delivered is at its end. */
export function land(call: Linked): void {
  if (!call.isFlying) return;
  const { begunAfter, begunBefore } = call;
  call.isFlying = false;
  if (begunAfter !== null) begunAfter.begunBefore = begunBefore;
  else if (process.latest === call) process.latest = begunBefore;
  if (begunBefore !== null) begunBefore.begunAfter = begunAfter;
  call.begunBefore = call.begunAfter = null;
  if (process.drains.length > 0) for (const drain of openDrains()) if (isOf(call, drain)) drain.left();
}

/** The drain that lets no such call begin; what is part of a call in flight goes on. */
export function closedTo(call: Flying): Draining | undefined {
  return process.drains.length === 0 ? undefined : openDrains().find((drain) => drain.closed && isOf(call, drain));
}

/** Those that a drain waits for. */
export function flying(drain: Pick<Draining, "component">): readonly Linked[] {
  if (process.born !== generation()) forget();
  const found: Linked[] = [];
  for (let call = process.latest; call !== null; call = call.begunBefore) if (isOf(call, drain)) found.push(call);
  return found;
}

/** After a `reset()` nobody waits for what was begun before it. */
function forget(): void {
  process.born = generation();
  process.latest = null;
}

export function addDrain(drain: Draining): void {
  process.drains = [...openDrains(), drain];
}

export function openDrains(): readonly Draining[] {
  if (process.drains.some(({ born }) => born !== generation()))
    process.drains = process.drains.filter(({ born }) => born === generation());
  return process.drains;
}

/** Of a process, the calls that no other call made; of a component, those of it that no other call of it made. */
function isOf({ component, parent }: Flying, drain: Pick<Draining, "component">): boolean {
  if (drain.component === undefined) return parent === null;
  if (component !== drain.component) return false;
  for (let outer = parent; outer !== null; outer = outer.call.parent)
    if (outer.call.component === drain.component) return false;
  return true;
}
