// How far a replay is: a bar on stderr where that is a terminal, else a line for each tenth.
import { isGood } from "./figures.ts";
import type { Seen } from "./replay.ts";

export interface Progress {
  told(come: number, seen: readonly Seen[]): void;
  end(): void;
}

export function progressOf(all: number, out = process.stderr): Progress {
  let drawnAt = 0;
  let tenth = 0;
  let good = 0;
  return {
    told(come, seen) {
      if (seen.at(-1) !== undefined && isGood(seen.at(-1) as Seen)) good++;
      const says = `${come}/${all} came, ${seen.length - good} of ${seen.length} unanswered`;
      const done = seen.length / all;
      if (!out.isTTY) {
        if (Math.floor(done * 10) <= tenth) return;
        tenth = Math.floor(done * 10);
        return void out.write(`${tenth * 10} %: ${says}\n`);
      }
      if (performance.now() - drawnAt < 100 && seen.length < all) return;
      drawnAt = performance.now();
      const blocks = Math.floor(done * 30);
      const line = `${"█".repeat(blocks)}${"░".repeat(30 - blocks)} ${says}`;
      out.write(`\r${line.slice(0, (out.columns || 80) - 1)}\x1b[K`);
    },
    end: () => void (out.isTTY && out.write("\r\x1b[K")),
  };
}
