export interface Body {
  readonly ended: boolean;
  onEnd(listener: () => void): void;
  cut(reason: unknown): void;
}

export function bodyOf(value: unknown): Body | undefined {
  void value;
  return undefined;
}
