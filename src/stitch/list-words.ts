import { FactoryError, type Place } from "../errors.ts";
import { grouped } from "../model/count.ts";
import type { Scalar } from "../schemas/types.ts";
import {
  type Instruction,
  isExecForm,
  parseDockerfile,
  VALUE_END,
  VALUE_START,
  withoutMarks,
} from "./dockerfile.ts";
import { isPairValue, isPlainWord, isShellWord } from "./word-places.ts";
import { json, oneLine, plain, quote, sh, UnsafeValue } from "./values.ts";
import { takeFlags } from "./words.ts";

/** `words` writes each item of a list as a word of its own; `array`, which `json` means for a list, the whole of an exec form. */
export const LIST_HELPERS = ["words", "array"] as const;

/** A list that a text writes. */
export interface WrittenList {
  helper: (typeof LIST_HELPERS)[number];
  items: readonly Scalar[];
  /** Whether items may start with `-`: the declaration names them itself. */
  flags: boolean;
  /** The place of the call. */
  where: Place;
}

/** What stands for a list until it is known where in the Dockerfile it is: no value and no file can contain it. */
export function listMark(at: number): string {
  return `${VALUE_START}\u0007${at}\u0007${VALUE_END}`;
}

const MARK = /\u0001\u0007(\d+)\u0007\u0002/g;
/** A mark in a text without the marks around values. */
const BARE = /\u0007(\d+)\u0007/g;

/** How long a text may become by its lists, and how often it may write one. */
const MAX_LENGTH = 1024 * 1024;
const MAX_LISTS = 1000;

/** How a list is written at a place: its items, and what is between them. */
interface Form {
  write: (item: Scalar) => string;
  between: string;
  around: readonly [string, string];
}

const BARE_WORDS: Form = { write: plain, between: " ", around: ["", ""] };

/** One value, of which each item is a word. */
const ONE_VALUE: Form = {
  write: (item) => {
    const text = oneLine(item);
    if (text !== "" && !/\s/.test(text)) return quote(text).slice(1, -1);
    throw new UnsafeValue(
      `the item ${JSON.stringify(text.slice(0, 80))} would not be one word among the others`,
      "write the items apart with {{#each}}, or leave out spaces",
    );
  },
  between: " ",
  around: ['"', '"'],
};

const SHELL_WORDS: Form = { write: sh, between: " ", around: ["", ""] };
const JSON_TEXTS: Form = { write: json, between: ", ", around: ["", ""] };
/** BuildKit puts values in place of variables in these arrays. */
const PLAIN_TEXTS: Form = { write: (item) => json(plain(item)), between: ", ", around: ["", ""] };
const WHOLE_ARRAY: Form = { write: json, between: ", ", around: ["[", "]"] };

const COMMANDS = new Set(["RUN", "CMD", "ENTRYPOINT", "SHELL", "HEALTHCHECK"]);
const PAIRS = new Set(["ENV", "LABEL", "ARG"]);
const MANY_WORDS = new Set(["COPY", "ADD", "EXPOSE", "VOLUME"]);

/** What an instruction takes after its flags: behind ONBUILD, that of the inner one; for HEALTHCHECK, behind CMD. */
function operandsOf(keyword: string, rest: string): { keyword: string; text: string } {
  const text = takeFlags(rest).rest;
  const [, inner = "", behind = ""] = /^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  if (keyword === "ONBUILD") return operandsOf(inner.toUpperCase(), behind);
  if (keyword === "HEALTHCHECK") return { keyword, text: inner.toUpperCase() === "CMD" ? behind : "" };
  return { keyword, text };
}

/** How a list is written at a place of an instruction; undefined if it cannot be. */
function formAt(
  { keyword, text }: { keyword: string; text: string },
  helper: WrittenList["helper"],
  at: number,
): Form | undefined {
  const mark = `\u0007${at}\u0007`;
  const from = text.indexOf(mark);
  if (from < 0) return undefined;
  if (helper === "array") return COMMANDS.has(keyword) && text.trim() === mark ? WHOLE_ARRAY : undefined;
  const to = from + mark.length;
  if (isExecForm(text.replace(BARE, '"x"'))) return COMMANDS.has(keyword) ? JSON_TEXTS : PLAIN_TEXTS;
  if (PAIRS.has(keyword)) return isPairValue(text, from, to) ? ONE_VALUE : undefined;
  if (MANY_WORDS.has(keyword)) return isPlainWord(text, from, to) ? BARE_WORDS : undefined;
  return COMMANDS.has(keyword) && isShellWord(text, from, to) ? SHELL_WORDS : undefined;
}

const WHERE_WORDS_STAND =
  "put it between spaces in RUN, CMD, ENTRYPOINT, EXPOSE, VOLUME or COPY, as an item of an exec form, or right behind the `=` of ENV, LABEL or ARG; elsewhere use {{#each}}";
const WHERE_ARRAYS_STAND =
  "make it all that is behind CMD, ENTRYPOINT, SHELL or RUN, such as CMD {{json args.command}}";

/** The lists' forms, by their marks. Those in comments, which nothing reads, are written as words of a shell. */
function formsOf(text: string, instructions: readonly Instruction[], lists: readonly WrittenList[]): Form[] {
  const found = new Map<number, Form | undefined>();
  for (const { keyword, rest } of instructions) {
    const own = [...`${keyword} ${rest}`.matchAll(MARK)].map(([, at]) => Number(at));
    const operands = own.length === 0 ? undefined : operandsOf(withoutMarks(keyword), withoutMarks(rest));
    for (const at of own) found.set(at, operands && formAt(operands, lists[at]?.helper ?? "words", at));
  }
  for (const line of text.split("\n")) {
    if (!/^\s*#/.test(line)) continue;
    for (const [, at] of line.matchAll(MARK)) if (!found.has(Number(at))) found.set(Number(at), SHELL_WORDS);
  }
  return lists.map(({ helper, where }, at) => {
    const form = found.get(at);
    if (form) return form;
    const name = helper === "words" ? "words" : "json";
    throw new FactoryError("TEMPLATE_SYNTAX", `{{${name} …}} cannot write a list at this place`, {
      where,
      fix: helper === "words" ? WHERE_WORDS_STAND : WHERE_ARRAYS_STAND,
    });
  });
}

/** A list's text. @throws FactoryError ARG_UNSAFE */
function write({ items, flags, where }: WrittenList, { write: writeItem, between, around }: Form): string {
  try {
    const texts = items.map((item) => {
      const text = oneLine(item);
      if (!text.startsWith("-") || flags) return writeItem(item);
      throw new UnsafeValue(
        `the item ${JSON.stringify(text.slice(0, 80))} would be read as an option`,
        "remove it; name it under `items: {enum: …}` if it is meant to be one",
      );
    });
    return around[0] + texts.join(between) + around[1];
  } catch (error) {
    if (!(error instanceof UnsafeValue)) throw error;
    throw new FactoryError("ARG_UNSAFE", error.message, { where, fix: error.fix });
  }
}

/** What an instruction is beside its words. */
function shapeOf({ keyword, rest }: Instruction, lists: readonly WrittenList[]): string {
  const { keyword: inner, text: own } = operandsOf(withoutMarks(keyword), withoutMarks(rest));
  const text = own.replace(BARE, (mark, at) => (lists[Number(at)]?.helper === "array" ? '["x"]' : mark));
  return `${keyword} ${inner} ${isExecForm(text.replace(BARE, '"x"'))}`;
}

/**
 * A rendered text with each list in place of its mark, between value marks. Where a list stands decides how its items are
 * quoted, so the text is read with the marks first.
 * @throws FactoryError TEMPLATE_SYNTAX at a place where a list cannot be, ARG_UNSAFE for an item that would be more than a
 * word there, TEMPLATE_TOO_LONG
 */
export function placeLists(text: string, lists: readonly WrittenList[]): string {
  if (lists.length === 0) return text;
  const before = parseDockerfile(text);
  const forms = formsOf(text, before, lists);
  let length = text.length;
  const written = lists.map((list, at): string => {
    const own = write(list, forms[at] ?? SHELL_WORDS);
    length += own.length;
    if (at < MAX_LISTS && length <= MAX_LENGTH) return own;
    throw new FactoryError(
      "TEMPLATE_TOO_LONG",
      `the lists write more than ${grouped(MAX_LENGTH)} characters, or are written more than ${grouped(MAX_LISTS)} times`,
      { where: list.where, fix: "shorten the list, or write it less often" },
    );
  });
  let placed = text.replace(MARK, (mark, at) => {
    const own = written[Number(at)] ?? "";
    return own === "" ? mark : VALUE_START + own + VALUE_END;
  });
  for (const [at, own] of written.entries()) {
    if (own !== "") continue;
    const mark = listMark(at);
    const around =
      forms[at]?.between === ", " ? `,(\\s|\\\\\\n)*${mark}|${mark}((\\s|\\\\\\n)*,)?` : `[ \\t]*${mark}`;
    placed = placed.replace(new RegExp(around), "");
  }
  const after = parseDockerfile(placed);
  for (const [at, instruction] of before.entries()) {
    const now = after[at];
    const own = [...`${instruction.keyword} ${instruction.rest}`.matchAll(MARK)].map(
      ([, one]) => lists[Number(one)],
    );
    const where = own[0]?.where;
    if (
      !now ||
      after.length !== before.length ||
      (where && shapeOf(now, lists) !== shapeOf(instruction, lists))
    )
      throw new FactoryError("ARG_UNSAFE", "a list would become part of the Dockerfile's structure", {
        where: where ?? lists[0]?.where,
        fix: "write the instruction itself, and use the list for some of its words",
      });
    if (where && now.rest.trim() === "")
      throw new FactoryError(
        "ARG_UNSAFE",
        `the list is empty, so nothing is left of ${withoutMarks(now.keyword)}`,
        {
          where,
          fix: "put the instruction between {{#if args.…}} and {{/if}}",
        },
      );
  }
  return placed.trim();
}
