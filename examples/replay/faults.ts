// What goes wrong with the first service during a replay, as a word says it: "errors=2,slow=1,outage=60+30".

export interface Faults {
  /** So many of a hundred requests are answered with status 500, when their work is done. */
  readonly errors: number;
  /** So many of a hundred take ten times as long. */
  readonly slow: number;
  /** Of the trace's time, ms: it ends every connection unanswered. */
  readonly outage: { readonly from: number; readonly to: number } | undefined;
}

export const faultsUsage = `errors=PERCENT, slow=PERCENT, outage=SECOND+SECONDS, with commas between them`;

/** Throws what a person can act on. */
export function faultsOf(text: string): Faults {
  const faults: { -readonly [K in keyof Faults]: Faults[K] } = { errors: 0, slow: 0, outage: undefined };
  for (const word of text.split(",").filter((word) => word !== "")) {
    const [, kind, first, second] =
      /^(errors|slow|outage)=(\d+(?:\.\d+)?)(?:\+(\d+(?:\.\d+)?))?$/.exec(word.trim()) ?? [];
    const isOutage = kind === "outage";
    if (kind === undefined || isOutage !== (second !== undefined) || (!isOutage && Number(first) > 100))
      throw new Error(`--faults: got "${word}", wanted ${faultsUsage}.`);
    if (kind === "errors" || kind === "slow") faults[kind] = Number(first);
    else faults.outage = { from: Number(first) * 1_000, to: (Number(first) + Number(second)) * 1_000 };
  }
  return faults;
}
