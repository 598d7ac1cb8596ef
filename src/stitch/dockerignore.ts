import { listed } from "../files/listing.ts";
import { createMeter } from "../files/meter.ts";
import { compareText } from "../model/compare.ts";
import { grouped } from "../model/count.ts";
import {
  closing,
  dockerPattern,
  type Pattern,
  reachesBelow,
  translated,
  verdictsOf,
} from "./docker-pattern.ts";
import type { Source } from "./source.ts";

const texts = new WeakMap<Source, readonly string[]>();

/** An entry of a source: what is declared, and the topmost of what is left out, in the order of a walk. */
interface Entry {
  path: string;
  isFolder: boolean;
  isDeclared: boolean;
}

const inWalk = (path: string): string => path.replaceAll("/", "\0");

/** Both lists, each in the order of a walk, as one. */
function* entriesOf(source: Source): Iterable<Entry> {
  const left = source.ignored[Symbol.iterator]();
  let out = left.next();
  for (const { path } of listed(source.path, source)) {
    const isFolder = path.endsWith("/");
    const name = isFolder ? path.slice(0, -1) : path;
    if (name === source.path || name === "") continue;
    while (!out.done && inWalk(out.value.path) < inWalk(name)) {
      yield { ...out.value, isDeclared: false };
      out = left.next();
    }
    yield { path: name, isFolder, isDeclared: true };
  }
  for (; !out.done; out = left.next()) yield { ...out.value, isDeclared: false };
}

/**
 * The lines that let in a source without what it leaves out: the source, its own patterns as far as Docker can say them, and
 * a line for each entry about which these are wrong. So the text depends on what is left out only where it has to, and what
 * appears there later is left out too.
 */
function linesOf(source: Source, onProgress: (text: string) => void): string[] {
  const whole = source.path === "." ? "*" : dockerPattern(source.path);
  if (!source.isFolder) return [`!${whole}`];
  const own = source.lines.flatMap((line) => translated(line, source.path) ?? []);
  const last = closing(own);
  const patterns: Pattern[] = [...own, ...last];
  const corrections: string[] = [];
  const verdicts = verdictsOf(patterns);
  /** Whether some pattern may let in what is in a folder that is left out. */
  const mayOpen = (folder: string): boolean =>
    own.some((pattern) => reachesBelow(pattern, folder)) &&
    !last.some(({ matches }) => matches(`${folder}/x`));
  /** For each folder on the way: its verdicts, and what a correction says of everything in it. */
  const way: { path: string; verdicts: ReturnType<typeof verdicts>; corrected: boolean | undefined }[] = [];
  let done = 0;
  const tick = createMeter(() =>
    onProgress(`comparing the ignore rules of ${source.path}: ${grouped(done)} entries`),
  );
  for (const { path, isFolder, isDeclared } of entriesOf(source)) {
    done += 1;
    if (done % 256 === 0) tick();
    while (way.length > 0 && !path.startsWith(`${way.at(-1)?.path}/`)) way.pop();
    const folder = way.at(-1);
    const verdict = verdicts(path, folder?.verdicts);
    const isLetIn = folder?.corrected ?? !verdict.excluded;
    let corrected = folder?.corrected;
    if (isLetIn !== isDeclared) {
      corrections.push(`${isDeclared ? "!" : ""}${dockerPattern(path)}`);
      corrected = isDeclared;
    } else if (!isDeclared && isFolder && mayOpen(path)) corrections.push(`${dockerPattern(path)}/**`);
    if (isFolder && isDeclared) way.push({ path, verdicts: verdict, corrected });
  }
  return [`!${whole}`, ...patterns.map(({ text }) => text), ...corrections];
}

/**
 * The text of a Dockerfile.dockerignore that lets in exactly the declared files.
 * @param contents do not overlap
 * @param files files and folders of fragments, sorted
 * @param onProgress called about once a second, beginning after a second
 */
export function dockerignoreOf(
  contents: readonly Source[],
  files: readonly string[],
  onProgress: (text: string) => void = () => undefined,
): string {
  const sources = [...contents].sort((a, b) => compareText(a.path, b.path));
  const lines = sources.flatMap((source) => {
    const known = texts.get(source);
    if (known) return known;
    const made = linesOf(source, onProgress);
    texts.set(source, made);
    return made;
  });
  // Files of fragments come last: they are let in wherever they lie.
  return ["*", ...lines, ...files.map((path) => `!${path}`), ""].join("\n");
}
