// Models of which no price is known, under a quota of money: it does not hold them, and that is told.
import type { About } from "../../core/bus.ts";
import { generation, type LiveSeams } from "../../core/seams.ts";

/** So many models are remembered: what hears of more is told of some again. */
const most = 1_000;

/** Of one limit, whatever its keys: each model is told once. */
export class Unpriced {
  private readonly told = new Set<string>();
  private born = generation();

  tell(models: readonly string[], { events }: LiveSeams, about: About): void {
    if (events.quiet) return;
    if (this.born !== generation()) {
      this.born = generation();
      this.told.clear();
    }
    const news = models.filter((model) => !this.told.has(model));
    if (news.length === 0) return;
    for (const model of news) this.told.add(model);
    for (const oldest of this.told) {
      if (this.told.size <= most) break;
      this.told.delete(oldest);
    }
    events.emit("limit.unpriced", { models: news }, about);
  }
}
