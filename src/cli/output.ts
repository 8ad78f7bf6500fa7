// An output as a person writes it: JSON, and of what JSON has no word for what is shown of it.
import { decode } from "../output/review/encode.ts";

/** @throws Error for what is no JSON */
export function parsedOutput(text: string): unknown {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new Error(`That is no JSON: ${(error as Error).message}`);
  }
  return decode(written);
}
