// What listeners cost the call they hear of.
import type { Case } from "../harness/time.ts";
import type { Library } from "../library.ts";
import { three } from "./stacks.ts";

export const unheard = "nobody listens";

export function bus({ events, protect }: Library): Case[] {
  const run = protect("bench", async () => 1, three);
  let heard = 0;
  const listener = () => void heard++;
  const settled = () => events.on("call.settled", listener);
  const any = () => events.onAny(listener);
  const others = () => events.on("call.settled", listener, { name: "another" });
  const all =
    (...ons: Array<() => () => void>) =>
    () => {
      const undos = ons.map((on) => on());
      const before = heard;
      return () => {
        for (const undo of undos) undo();
        if (heard === before && !ons.includes(others)) throw new Error("a listener heard nothing");
      };
    };
  return [
    { name: unheard, run: () => run() },
    { name: "1 listener of another event", run: () => run(), during: () => events.on("deadline.exceeded", listener) },
    { name: "1 listener of call.settled, of another name", run: () => run(), during: all(others) },
    { name: "1 listener of call.settled", run: () => run(), during: all(settled) },
    { name: "3 listeners of call.settled", run: () => run(), during: all(settled, settled, settled) },
    { name: "1 listener of everything", run: () => run(), during: all(any) },
    { name: "3 listeners of everything", run: () => run(), during: all(any, any, any) },
  ];
}
