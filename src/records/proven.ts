import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { appendTo } from "../files/append.ts";
import { readRegular } from "../files/read-regular.ts";
import { writeWhole } from "../files/write-whole.ts";
import { barrier } from "./index-file.ts";

/**
 * Records that were held to their evidence and found true, by the sha256 of their files: a record names the hashes of its
 * evidence, so what evidence of these hashes proves is the same each time, and is computed once. The hashes themselves are
 * taken anew whenever a record is relied on.
 */
export interface Proven {
  has: (sha256: string) => boolean;
  add: (sha256: string) => void;
}

/** Another way to prove is another version; other stages are other rules. */
const VERSION = 1;
const FOLDER = [".factory", "records"];
const HEX = 64;

/** Lines that are written at once: fewer are computed again as fast as they are read. */
const BATCH = 32;

/**
 * `.factory/records/<manifest_id>.proven`: a line a record. It is derived, and may be lost, cut or refused at any time: then
 * records are held to their evidence again. A line that was cut names none.
 * @param root real path of the workspace
 * @param manifestId checked
 * @param rules names the rules that records are held to
 * @param note is told what keeps it from being written
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
    // It is made anew.
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
        note(`${path} cannot be written, so records will be held to their evidence again: ${error.message}`);
      }
    },
  };
}
