export function discard(value: unknown, own: ((value: unknown) => unknown) | undefined): void {
  void value;
  void own;
}
