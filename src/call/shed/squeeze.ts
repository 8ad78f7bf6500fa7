// How many places stay free for those above: as many as keep them from being refused more than now and then.
import type { Room } from "../../core/room.ts";

/** So many places more with each that was refused, for those of its level. */
const more = 0.3;
/** For one level no more than this, of a limit no more than that share; where a limit does not grow, each idle place is lost. */
const [most, mostShare, fixedShare] = [4, 0.35, 0.1];
/** Of the places that a level asks for at one time: at least, and times the part of the limit that they are. */
const [least, crowded] = [0.5, 3];
/** Who is above its fair share leaves so much of a limit besides. */
const fairness = 0.2;
/** Of what is kept so much is given back, and of what was counted so much is forgotten, in the time that a call takes. */
const [fading, forgetting] = [0.03, 0.05];
/** Where nobody knows how long that is, ms. */
const unknownMs = 100;
const levels = 8;

/** Levels: two of each rank, the second of who is above its fair share. */
export class Squeeze {
  /** Whether anything is kept, or was of late. */
  private isOn = false;
  private readonly kept = new Array<number>(levels).fill(0);
  /** How many of each level come in the time that a call takes. */
  private readonly asked = new Array<number>(levels).fill(0);
  private at = 0;
  private perMs = 1 / unknownMs;

  /** So many places stay free when one of this level asks; never fewer for a lower one, in the same moment. */
  left({ size, grows }: Room, level: number, now: number): number {
    if (level === 0 || !this.isOn) return 0;
    this.fade(now);
    let sum = level % 2 === 1 ? size * fairness : 0;
    for (let above = 0; above < level; above++) sum += this.kept[above] as number;
    // the lower, the more: else all below would have the same places left, and the same luck
    const bound = grows ? size * mostShare : Math.min(size - 1, Math.max(1, size * fixedShare) * Math.ceil(level / 2));
    return Math.floor(Math.min(sum, bound));
  }

  /** One of this level found room. */
  passed(level: number): void {
    if (this.isOn) this.count(level);
  }

  /** One of this level was refused for want of room. */
  refused(level: number, { size, latencyMs }: Room, now: number): void {
    this.fade(now);
    this.perMs = 1 / (latencyMs > 0 ? latencyMs : unknownMs);
    this.isOn = true;
    this.count(level);
    const asked = this.asked[level] as number;
    const bound = Math.min(most, asked * Math.max(least, crowded * Math.min(1, asked / size)));
    const kept = this.kept[level] as number;
    // never less than before: nobody below may come in because of it
    this.kept[level] = Math.max(kept, Math.min(bound, kept + more));
  }

  private count(level: number): void {
    this.asked[level] = (this.asked[level] as number) + forgetting;
  }

  private fade(now: number): void {
    const past = (now - this.at) * this.perMs;
    this.at = now;
    if (!this.isOn || !(past > 0)) return;
    const stays = Math.exp(-past * fading);
    const known = Math.exp(-past * forgetting);
    let all = 0;
    for (let level = 0; level < levels; level++) {
      this.kept[level] = (this.kept[level] as number) * stays;
      this.asked[level] = (this.asked[level] as number) * known;
      all += (this.kept[level] as number) + (this.asked[level] as number);
    }
    this.isOn = all > 0.001;
  }
}
