// Everything that happened in a simulation, a line each, and one number for all of it: two runs are the same when it is.
import { brief } from "../../core/brief.ts";
import type { AnyEvent } from "../../core/events.ts";

const common = new Set(["type", "name", "component", "call", "at", "severity", "labels", "parent"]);

export class Trace {
  readonly lines: string[] | undefined;
  private low = 0x9dc5811c;
  private high = 0x41c6ce57;
  /** Ids of stories differ from process to process: here they are numbered as they come. */
  private readonly ids = new Map<string, number>();

  constructor(kept: boolean) {
    this.lines = kept ? [] : undefined;
  }

  add(line: string): void {
    this.lines?.push(line);
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      this.low = Math.imul(this.low ^ code, 0x01000193);
      this.high = Math.imul(this.high ^ code, 0x5f356495);
    }
  }

  event(event: AnyEvent): void {
    const { type, name, call, at } = event;
    let line = `${at} ${type} ${name}`;
    if (call !== undefined) line += ` #${this.numberOf(call)}`;
    for (const [fact, value] of Object.entries(event)) if (!common.has(fact)) line += ` ${fact}=${brief(value)}`;
    this.add(line);
  }

  /** As text. */
  get hash(): string {
    return (this.high >>> 0).toString(16).padStart(8, "0") + (this.low >>> 0).toString(16).padStart(8, "0");
  }

  private numberOf(call: string): number {
    let no = this.ids.get(call);
    if (no === undefined) {
      no = this.ids.size + 1;
      this.ids.set(call, no);
    }
    return no;
  }
}
