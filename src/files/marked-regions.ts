import { realpathSync, statSync } from "node:fs";
import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import { readRegular } from "./read-regular.ts";
import { writing } from "./refused.ts";
import writeFileAtomic from "write-file-atomic";

/** A part of a file between two marks, each on a line of its own. */
interface Region {
  /** All that the first mark says: regions that say the same hold the same. */
  key: string;
  values: Record<string, string>;
  /** Where the text between the marks begins and ends. */
  from: number;
  to: number;
  line: number;
  /** How the lines of the mark end. */
  newline: string;
}

const BEGIN = /^[ ]{0,3}<!--[ \t]*factory:matrix[ \t]+(.*?)[ \t]*-->[ \t]*(\r?)$/;
const END = /^[ ]{0,3}<!--[ \t]*\/factory:matrix[ \t]*-->[ \t]*\r?$/;
const VALUE = /^([a-z_]+)=([A-Za-z0-9_.-]+)$/;
const NEEDED = ["manifest_id", "rows", "cols"];
const KNOWN = [...NEEDED, "per"];
/** Fences of code, in which marks are examples. */
const FENCE = /^[ ]{0,3}(`{3,}|~{3,})(.*)$/;

function wrong(name: string, line: number, what: string): FactoryError {
  return new FactoryError("USAGE", what, {
    where: { file: name, line, col: 1 },
    fix: "write `<!-- factory:matrix manifest_id=ID rows=AXIS cols=AXIS -->` and `<!-- /factory:matrix -->`, each on a line of its own",
  });
}

function valuesIn(text: string, name: string, line: number): Record<string, string> {
  const values: Record<string, string> = {};
  for (const word of text.split(/[ \t]+/)) {
    const [, key = "", value = ""] = VALUE.exec(word) ?? [];
    if (!KNOWN.includes(key) || Object.hasOwn(values, key))
      throw wrong(name, line, `the mark does not say what ${quoted(word)} is`);
    values[key] = value;
  }
  const missing = NEEDED.find((key) => !Object.hasOwn(values, key));
  if (missing !== undefined) throw wrong(name, line, `the mark does not say \`${missing}\``);
  return values;
}

/** @param text bytes as Latin-1, so that whatever they are stays as it is */
function regionsIn(text: string, name: string): Region[] {
  const regions: Region[] = [];
  let open: Omit<Region, "to"> | undefined;
  let fence: string | undefined;
  let at = 0;
  for (const [index, line] of text.split("\n").entries()) {
    const next = at + line.length + 1;
    const [, marks = "", info = ""] = FENCE.exec(line.replace(/\r$/, "")) ?? [];
    if (marks !== "" && open === undefined) {
      if (fence === undefined) fence = marks;
      else if (marks.startsWith(fence) && info.trim() === "") fence = undefined;
    }
    const begin = fence === undefined ? BEGIN.exec(line) : null;
    if (begin) {
      if (open) throw wrong(name, index + 1, `a mark begins before the one of line ${open.line} has ended`);
      const [, said = "", carriage = ""] = begin;
      const values = valuesIn(said, name, index + 1);
      const key = KNOWN.map((one) => values[one] ?? "").join(" ");
      open = { key, values, from: Math.min(next, text.length), line: index + 1, newline: `${carriage}\n` };
    } else if (fence === undefined && END.test(line)) {
      if (!open) throw wrong(name, index + 1, "a mark ends that has not begun");
      regions.push({ ...open, to: at });
      open = undefined;
    }
    at = next;
  }
  if (open) throw wrong(name, open.line, "the mark does not end");
  return regions;
}

function bytesOf(path: string, name: string): { file: string; text: string } {
  try {
    const file = realpathSync.native(path);
    const bytes = readRegular(file)?.bytes;
    if (bytes) return { file, text: bytes.toString("latin1") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new FactoryError("FILE_UNREADABLE", `${name} cannot be read (${code})`, {
      where: { file: name },
      fix: "name a Markdown file that has marks",
      cause: error,
    });
  }
  throw new FactoryError("FILE_UNREADABLE", `${name} is not a regular file`, {
    where: { file: name },
    fix: "name a Markdown file that has marks",
  });
}

/**
 * The marked regions of a Markdown file. Marks within fences of code are examples.
 * @param name of the file, for people
 * @throws FactoryError USAGE for a mark that is wrong, and for a file without any; FILE_UNREADABLE
 */
export function readRegions(path: string, name: string): readonly Pick<Region, "key" | "values">[] {
  const regions = regionsIn(bytesOf(path, name).text, name);
  if (regions.length > 0) return regions;
  throw wrong(name, 1, `${name} has no marks, so there is nothing to keep current`);
}

/** How often a file is read again that somebody changed meanwhile. */
const TRIES = 10;

/**
 * Puts texts between the marks of a file. All else stays byte for byte; the file is written whole or not at all, with its mode,
 * and through a link. What somebody else wrote since it was read is read again.
 * @param made by key of the region
 * @param write false only looks
 * @returns whether the file had something else between its marks
 * @throws FactoryError USAGE, FILE_UNREADABLE, WRITE_FAILED
 */
export function updateRegions(
  path: string,
  name: string,
  made: ReadonlyMap<string, string>,
  write: boolean,
): boolean {
  for (let attempt = 0; ; attempt += 1) {
    const { file, text } = bytesOf(path, name);
    let updated = "";
    let end = 0;
    for (const { key, from, to, newline } of regionsIn(text, name)) {
      const own = made.get(key);
      if (own === undefined) continue;
      const lines = Buffer.from(`\n${own}\n\n`, "utf8").toString("latin1").replaceAll("\n", newline);
      updated += text.slice(end, from) + lines;
      end = to;
    }
    updated += text.slice(end);
    if (updated === text) return false;
    if (!write) return true;
    if (attempt < TRIES && bytesOf(path, name).text !== text) continue;
    writing(file, () =>
      writeFileAtomic.sync(file, Buffer.from(updated, "latin1"), { mode: statSync(file).mode & 0o7777 }),
    );
    return true;
  }
}
