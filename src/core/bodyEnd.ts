// The end of a body, told once: the body's own end, a cut, or that nobody can reach it to read it.

const unreachable = new FinalizationRegistry<BodyEnd>((body) => body.stop());

export abstract class BodyEnd {
  private listeners: (() => void)[] | null = [];

  get ended(): boolean {
    return this.listeners === null;
  }

  onEnd(listener: () => void): void {
    if (this.listeners === null) listener();
    else this.listeners.push(listener);
  }

  /** Collection of this object ends the body, in place of what was watched before. */
  watch(readable: object): void {
    unreachable.unregister(this);
    unreachable.register(readable, this, this);
  }

  /** Tells of the end; nothing is told twice. */
  end(): void {
    const { listeners } = this;
    if (listeners === null) return;
    this.listeners = null;
    unreachable.unregister(this);
    for (const listener of listeners) listener();
  }

  /** Whoever reads gets this reason as the error; after the end nothing happens. */
  abstract cut(reason: unknown): void;

  /** Nobody reads on: what feeds the body may close. */
  abstract stop(): void;
}
