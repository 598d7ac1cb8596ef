import { posix } from "node:path";
import { isExecForm } from "../stitch/dockerfile.ts";
import { isRemote } from "../stitch/sources.ts";
import { type Word, wordsOf, type Written } from "./logical.ts";

/** A place of an instruction that names a file of the build context, or another stage or image. */
export type Place =
  /** A path of the context from `start` to `end`. Without a path (`start` is `end`), all of it. */
  | { kind: "context"; start: number; end: number; path: string; isMount: boolean }
  /** What `--from=` and `from=` name. */
  | { kind: "from"; start: number; end: number; name: string; isMount: boolean };

/** What an instruction reads. */
export interface Reads {
  places: readonly Place[];
  /** Why this cannot be said of it. */
  unclear?: string;
}

const HEREDOC = /^\d*<<-?[^<]/;

function flagsOf(words: readonly Word[]): Word[] {
  const end = words.findIndex(({ text }) => !text.startsWith("--"));
  return words.slice(0, end < 0 ? words.length : end);
}

function ofCopy(line: string, words: readonly Word[], keyword: string): Reads {
  const flags = flagsOf(words);
  const from = flags.find(({ text }) => text.startsWith("--from="));
  if (from) {
    const start = from.start + "--from=".length;
    return {
      places: [{ kind: "from", start, end: from.end, name: line.slice(start, from.end), isMount: false }],
    };
  }
  const operands = words.slice(flags.length);
  const begin = operands[0]?.start ?? line.length;
  const texts: Word[] = isExecForm(line.slice(begin))
    ? [...line.slice(begin).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(({ 1: text = "", index }) => {
        const start = begin + index + 1;
        return { text, start, end: start + text.length };
      })
    : operands;
  const places = texts.slice(0, -1).flatMap(({ text, start, end }): Place[] => {
    if (HEREDOC.test(text)) return [];
    if (keyword === "ADD" && (isRemote(text.replace(/["']/g, "")) || text.startsWith("$"))) return [];
    const quote = /^["']/.test(text) ? 1 : 0;
    const path = text.replace(/["']/g, "");
    return [{ kind: "context", start: start + quote, end: end - quote, path, isMount: false }];
  });
  const parents = flags.some(({ text }) => /^--parents(=|$)/.test(text)) && places.length > 0;
  return {
    places,
    ...(parents && { unclear: "`--parents` keeps the path of each file, which differs in a workspace" }),
  };
}

function ofMount({ text, start, end }: Word): Reads {
  const head = "--mount=".length;
  if (/["'\\]/.test(text)) return { places: [], unclear: "the options of a mount are quoted" };
  const places: Place[] = [];
  let type = "bind";
  let from: string | undefined;
  let source: Place | undefined;
  for (const { 0: field, index } of text.slice(head).matchAll(/[^,]+/g)) {
    const [name = "", value = ""] = field.split(/=(.*)/s);
    const at = start + head + index + name.length + 1;
    const own = { start: at, end: at + value.length };
    if (name === "type") type = value;
    if (name === "from") from = value;
    if (name === "from") places.push({ kind: "from", ...own, name: value, isMount: true });
    if (name === "source" || name === "src") source = { kind: "context", ...own, path: value, isMount: true };
  }
  if (type === "bind" && (from ?? "") === "")
    places.push(source ?? { kind: "context", start: end, end, path: ".", isMount: true });
  return { places };
}

/** What an instruction reads of the context and of other stages. */
export function readsOf(written: Pick<Written, "line">): Reads {
  const all = wordsOf(written);
  const isTrigger = all[0]?.text.toUpperCase() === "ONBUILD";
  const [keyword, ...words] = isTrigger ? all.slice(1) : all;
  const name = keyword?.text.toUpperCase() ?? "";
  let reads: Reads = { places: [] };
  if (name === "COPY" || name === "ADD") reads = ofCopy(written.line, words, name);
  else if (name === "RUN") {
    const each = flagsOf(words).flatMap((word) => (word.text.startsWith("--mount=") ? [ofMount(word)] : []));
    const unclear = each.find((one) => one.unclear !== undefined)?.unclear;
    reads = { places: each.flatMap(({ places }) => places), ...(unclear !== undefined && { unclear }) };
  }
  if (isTrigger && reads.places.some(({ kind }) => kind === "context"))
    return { places: [], unclear: "its files are those of whoever builds on this image" };
  const outside = reads.places.find(
    (one) => one.kind === "context" && /^\/*\.\.(\/|$)/.test(posix.normalize(one.path)),
  );
  if (outside?.kind === "context") return { places: [], unclear: `${outside.path} leads out of the context` };
  return reads;
}
