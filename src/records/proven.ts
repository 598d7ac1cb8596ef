import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { appendTo } from "../files/append.ts";
import { readRegular } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";
import { barrier } from "./index-file.ts";

/**
 * Records that were proven by their evidence, by the sha256 of their files. A record names the hashes of its evidence, and
 * evidence with the same hashes always proves the same, so that is computed once. The hashes themselves are computed again
 * whenever a record is relied on.
 */
export interface Proven {
  has: (sha256: string) => boolean;
  add: (sha256: string) => void;
}

/** Changes with the way in which records are proven; other stages are other rules. */
const VERSION = 1;
const FOLDER = [".factory", "records"];
const HEX = 64;

/** How many lines are written at once: proving fewer again is as fast as reading them. */
const BATCH = 32;

/**
 * `.factory/records/<manifest_id>.proven`: one line per record. It is derived, and may be lost, cut or refused at any time:
 * then records are checked against their evidence again. A line that was cut names no record.
 * @param root real path of the workspace
 * @param manifestId checked
 * @param rules names the rules by which records are checked
 * @param note gets what keeps it from being written
 */
export function openProven(
  root: string,
  manifestId: string,
  { rules, note }: { rules: string; note: (text: string) => void },
): Proven {
  const names = [...FOLDER, `${manifestId}.proven`];
  const path = names.join("/");
  const file = join(root, path);
  const header = `${JSON.stringify({ schema: "factory/proven", version: VERSION, rules })}\n`;
  if (barrier(root, names) !== undefined) return { has: () => false, add: () => undefined };

  let text = "";
  try {
    text = readRegular(file)?.bytes.toString("latin1") ?? "";
  } catch {
    // It is written again.
  }
  let there = text.startsWith(header);
  const known = new Set<string>();
  if (there)
    for (const line of text.slice(header.length).split("\n")) if (line.length === HEX) known.add(line);
  let refused = false;
  let waiting: string[] = [];

  return {
    has: (sha256) => known.has(sha256),
    add: (sha256) => {
      known.add(sha256);
      waiting.push(sha256);
      if (refused || waiting.length < BATCH) return;
      const lines = waiting.map((one) => `${one}\n`).join("");
      waiting = [];
      try {
        if (!there) writeWhole(file, header + lines, false);
        else if (!appendTo(file, lines)) refused = true;
        there = true;
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        refused = true;
        note(
          `${path} cannot be written, so records will be checked against their evidence again: ${error.message}`,
        );
      }
    },
  };
}
