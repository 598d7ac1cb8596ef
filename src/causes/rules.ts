import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { CellSelector, Value } from "../schemas/types.ts";
import type { CauseValues } from "./boxes.ts";

/** Selects the cells that have a cause. @returns why no rule can say it, as a text */
export function selectorOf(values: CauseValues): CellSelector | string {
  const rest: Record<string, string | string[]> = {};
  const args: Record<string, Value> = {};
  const entries = Object.entries(values);
  if (entries.length === 0) return "everything fails";
  for (const [name, some] of entries) {
    const texts = some.filter((value) => value !== null);
    if (texts.length < some.length) return `no rule can ask for cells without ${name}`;
    if (name === "template") return "the template is chosen by the manifest";
    const [first = ""] = texts;
    if (!name.startsWith("args.")) rest[name] = texts.length === 1 ? first : texts;
    // The texts of equal values are equal, so that a list of texts is one of values.
    else args[name.slice("args.".length)] = texts.length === 1 ? typed(first) : texts.map(typed);
  }
  return { ...rest, ...(Object.keys(args).length > 0 && { args }) };
}

/** Rules that keep a cause out of plans: any of them does. */
export interface SuggestedRules {
  /** For a plan. */
  exclude: CellSelector;
  /** For a plan: what is known to work with the first of its values; null if that is not two values. */
  constraint: { when: CellSelector; then: CellSelector } | null;
  /** For one of two fragments, so for every plan. */
  conflicts: { fragment: string; version: string; conflicts: Record<string, string> }[];
}

/**
 * The rules that say a cause; null if none can.
 * @param passing values of what passed
 */
export function suggestedRules(
  values: CauseValues,
  passing: readonly Readonly<Record<string, string>>[],
): SuggestedRules | null {
  const exclude = selectorOf(values);
  if (typeof exclude === "string") return null;
  const [first, second, ...more] = Object.entries(values);
  if (!first || !second || more.length > 0) return { exclude, constraint: null, conflicts: [] };
  const [[a, ofA], [b, ofB]] = [first, second];
  const works = passing.flatMap((one) => (ofA.includes(one[a] ?? null) ? [one[b] ?? null] : []));
  const then = works.length > 0 ? selectorOf({ [b]: [...new Set(works)].sort() }) : "";
  const when = selectorOf({ [a]: ofA });
  const areFragments = [a, b].every(
    (name) => name !== "platform" && name !== "base" && !name.startsWith("args."),
  );
  const [onlyB] = ofB;
  return {
    exclude,
    constraint: typeof then === "string" || typeof when === "string" ? null : { when, then },
    // A range of several versions is another one in each scheme.
    conflicts:
      areFragments && ofB.length === 1 && typeof onlyB === "string"
        ? ofA.flatMap((version) =>
            version === null ? [] : [{ fragment: a, version, conflicts: { [b]: onlyB } }],
          )
        : [],
  };
}

/** A scalar as people write it. */
function typed(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

const KEY = "exclude";

/** A selector as one line of YAML. JSON is YAML. */
function inFlow(selector: CellSelector): string {
  const scalar = (value: unknown): string =>
    typeof value === "string" && /^[a-z][a-z0-9_.-]*$|^\d+\.\d+\.\d[\w.+-]*$/.test(value)
      ? value
      : JSON.stringify(value);
  const text = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(text).join(", ")}]`;
    if (typeof value !== "object" || value === null) return scalar(value);
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${scalar(name)}: ${text(one)}`)
      .join(", ")} }`;
  };
  return text(selector);
}

/**
 * The text of a plan with one more rule of `exclude`, behind those that are there. All else stays byte for byte, with its
 * comments, where the rules are written in block style or there are none yet; otherwise the comments stay.
 * @param text YAML without findings
 * @returns null if the file is written in a way that no rule can be added to
 */
export function withExclusion(text: string, selector: CellSelector): string | null {
  const document = parseDocument(text);
  if (document.errors.length > 0) return null;
  const before = document.toJS() as { exclude?: CellSelector[] };
  const wanted = { ...before, [KEY]: [...(before.exclude ?? []), selector] };
  const says = (made: string) => {
    const again = parseDocument(made);
    return again.errors.length === 0 && isDeepStrictEqual(again.toJS(), wanted);
  };
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const rule = inFlow(selector);
  const made: string[] = [];
  const list = document.get(KEY, true);
  if (!document.has(KEY) && isMap(document.contents) && !document.contents.flow) {
    const end = text === "" || text.endsWith("\n") ? "" : newline;
    made.push(`${text}${end}${KEY}:${newline}  - ${rule}${newline}`);
  } else if (isSeq(list) && !list.flow) {
    const last = list.items.at(-1);
    const range = isScalar(last) || isMap(last) ? last.range : undefined;
    if (range) {
      const start = text.lastIndexOf("\n", range[0]) + 1;
      const indent = /^ *(?=-)/.exec(text.slice(start))?.[0];
      // Behind the line that the last rule ends on, with the comment beside it.
      const found = text.indexOf("\n", Math.max(range[1] - 1, range[0]));
      const end = found < 0 ? text.length : found + 1;
      const gap = found < 0 ? newline : "";
      if (indent !== undefined)
        made.push(`${text.slice(0, end)}${gap}${indent}- ${rule}${newline}${text.slice(end)}`);
    }
  }
  const plain = made.find(says);
  if (plain !== undefined) return plain;
  if (document.has(KEY)) document.addIn([KEY], document.createNode(selector, { flow: true }));
  else document.set(KEY, document.createNode([selector]));
  const whole = document.toString({ lineWidth: 0 });
  return says(whole) ? whole : null;
}
