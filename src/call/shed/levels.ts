// From which pressure on which calls are refused: the lowest first.

/** A measure, or a delay as a share of what is borne, by rank. Critical calls only when it is twice what can be borne. */
const levels: readonly number[] = [2, 1, 0.9, 0.8];
/** Who is above its fair share goes so much earlier. */
const overShare = 0.05;
/** A limit of so many places has some to leave free for those above, before any of them was refused. */
const twoDozen = 24;

export function isTooMuch(pressure: number, rank: number, isOver: boolean): boolean {
  return pressure >= (levels[rank] as number) - (isOver ? overShare : 0);
}

/** So many places stay free in any case when one of this rank asks: one for each rank above it. */
export function leftFree(size: number, rank: number): number {
  return size < twoDozen ? 0 : rank;
}
