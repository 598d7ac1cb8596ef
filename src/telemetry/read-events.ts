import { StringDecoder } from "node:string_decoder";
import { FactoryError } from "../errors.ts";
import { event as isEvent } from "../schemas/event-validator.js";
import type { RunEvent } from "../schemas/types.ts";

/** The longest line that is read: a log line is cut long before. */
const LONGEST = 16 << 20;

async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  tooLong: () => FactoryError,
): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.write(Buffer.from(piece))).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (rest.length > LONGEST) throw tooLong();
  }
  // A run that was killed may leave the beginning of a line.
  yield rest + decoder.end();
}

/**
 * The events in the bytes of an events file. A line of a type that is not known yet is passed over, as events.md asks of readers.
 * @param onBad called for each line that is no event
 * @throws FactoryError FILE_TOO_LARGE where a line does not end
 */
export async function* readEvents(
  pieces: AsyncIterable<Uint8Array>,
  file: string,
  onBad: (line: number) => void,
): AsyncGenerator<RunEvent> {
  const tooLong = () =>
    new FactoryError("FILE_TOO_LARGE", `a line of ${file} has more than ${LONGEST} characters`, {
      fix: "name a file that `factory run --events FILE` wrote",
    });
  let number = 0;
  for await (const line of linesOf(pieces, tooLong)) {
    number++;
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      onBad(number);
      continue;
    }
    if (isEvent(value)) yield value as RunEvent;
    else if (!isOfNewType(value)) onBad(number);
  }
}

/** The types that the schema knows: the compiler holds them to it. */
const TYPES = {
  "run-started": true,
  "cell-started": true,
  "stage-started": true,
  progress: true,
  log: true,
  "part-ended": true,
  "stage-ended": true,
  "cell-ended": true,
  "cell-repacked": true,
  note: true,
  "run-ended": true,
} satisfies Record<RunEvent["type"], true>;

function isOfNewType(value: unknown): boolean {
  const { v, type } = (value ?? {}) as { v?: unknown; type?: unknown };
  return v === 1 && typeof type === "string" && !Object.hasOwn(TYPES, type);
}
