// From which pressure on which calls are refused: the lowest first.

/** A measure, or a delay as a share of what is borne, by rank. Critical calls only when it is twice what can be borne. */
const levels: readonly number[] = [2, 1, 0.9, 0.8];
/** Who is above its fair share goes so much earlier. */
const overShare = 0.05;
/** Of a limit, what each rank leaves free for those above it: at least a place, where there are as many as a dozen. */
const slice = 0.04;
const dozen = 12;

export function isTooMuch(pressure: number, rank: number, isOver: boolean): boolean {
  return pressure >= (levels[rank] as number) - (isOver ? overShare : 0);
}

/** So many places stay free when one of this rank asks. Who is above its fair share asks as if it were of the next rank. */
export function leftFree(size: number, rank: number, isOver: boolean): number {
  const steps = isOver ? rank + 1 : rank;
  return Math.min(steps * Math.max(1, Math.floor(size * slice)), Math.floor((size * steps) / dozen));
}
