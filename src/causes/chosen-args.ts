import { valueText } from "../model/value.ts";
import type { Value } from "../schemas/types.ts";
import type { Made } from "./remade.ts";
import type { Verdict } from "./verdicts.ts";

/**
 * The arguments that somebody chose for some combination. What all others have follows from their fragments' versions, so it is
 * no factor of its own.
 */
export function chosenArgs(
  verdicts: readonly Verdict[],
  madeAs: (made: Made) => { made: Made } | null,
): Map<string, Value> {
  const found = new Map<string, Map<string, Value>>();
  for (const { summary } of verdicts)
    for (const [name, value] of Object.entries(summary.args))
      found.set(name, (found.get(name) ?? new Map<string, Value>()).set(valueText(value), value));
  const varied = [...found].filter(
    ([name, values]) => values.size > 1 || verdicts.some(({ summary }) => summary.args[name] === undefined),
  );
  const open = new Map(varied);
  const chosen = new Map<string, Value>();
  for (const { summary } of verdicts) {
    if (open.size === 0) break;
    const usual = madeAs({ ...summary, args: {} })?.made.args;
    for (const [name, values] of open) {
      const [own, other] = [summary.args[name], usual?.[name]];
      if (own === undefined || (other !== undefined && valueText(own) === valueText(other))) continue;
      for (const [text, value] of values) chosen.set(`args.${name}\n${text}`, value);
      open.delete(name);
    }
  }
  return chosen;
}

/** What a combination is made of. @param like gives what is the same in all combinations @param args those that are factors */
export function madeLike(
  values: Readonly<Record<string, string | null>>,
  like: Verdict,
  args: ReadonlyMap<string, Value>,
): Made {
  const { summary } = like;
  const all: Record<string, string | null> = { ...like.values, ...values };
  const fragments: Record<string, string> = {};
  const own: Record<string, Value> = {};
  for (const [name, text] of Object.entries(all)) {
    if (text === null || name === "template" || name === "platform" || name === "base") continue;
    const value = args.get(`${name}\n${text}`);
    if (!name.startsWith("args.")) fragments[name] = text;
    else if (value !== undefined) own[name.slice("args.".length)] = value;
  }
  return {
    fragments,
    platform: all.platform ?? summary.platform,
    base: all.base ?? summary.base,
    args: own,
  };
}
