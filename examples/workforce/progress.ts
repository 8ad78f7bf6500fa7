// How far the work is: a share for whoever asks, and a bar on stderr where that is a terminal.
import { stepsOf } from "./brief.ts";
import type { Document } from "./documents.ts";

export interface Progress {
  step(document: Document): void;
  /** However many steps there were. */
  finish(document: Document): void;
  readonly share: () => number;
  end(): void;
}

export function progressOf(documents: readonly Document[], says: () => string, out = process.stderr): Progress {
  const left = new Map(documents.map((document) => [document.path, stepsOf(document)]));
  const sum = () => [...left.values()].reduce((total, steps) => total + steps, 0);
  const all = sum();
  const share = () => 1 - sum() / all;
  const draw = () => {
    const done = Math.floor(share() * 30);
    const finished = [...left.values()].filter((steps) => steps === 0).length;
    const line = `${"█".repeat(done)}${"░".repeat(30 - done)} ${finished}/${documents.length}  ${says()}`;
    if (out.isTTY) out.write(`\r${line.slice(0, (out.columns || 80) - 1)}\x1b[K`);
  };
  const set = (path: string, steps: number) => {
    left.set(path, steps);
    draw();
  };
  return {
    step: ({ path }) => set(path, Math.max(1, (left.get(path) ?? 0) - 1)),
    finish: ({ path }) => set(path, 0),
    share,
    end: () => void (out.isTTY && out.write("\r\x1b[K")),
  };
}
