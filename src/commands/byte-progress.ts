import { createMeter } from "../files/meter.ts";
import { sizeText } from "../model/bytes.ts";
import type { Context } from "./context.ts";

/** Says once a second how many bytes came by now; for the first time after a second. */
export function byteProgress(context: Context, what: string): (bytes: number) => void {
  let total = 0;
  const tell = createMeter(() => context.say(`${what}: ${sizeText(total)}`));
  return (bytes) => {
    total += bytes;
    tell();
  };
}
