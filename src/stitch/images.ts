import { compareText } from "../model/compare.ts";
import type { ImageRole } from "../model/inputs.ts";
import { escaped } from "../model/pattern.ts";
import { type Instruction, parseDockerfile, withoutMarks } from "./dockerfile.ts";
import { csvFields, takeFlags } from "./words.ts";

/** A place of a Dockerfile that names an image, or a stage. */
export interface Reference {
  kind: "from" | "copy" | "mount" | "syntax";
  /** What it names, as it is written. */
  name: string;
  /** The platform that its FROM asks for; null if that is the build's own. */
  platform: string | null;
  /** The name that a FROM gives to its stage, in lower case; null if it gives none. */
  stage: string | null;
  /** Its lines, from 1. */
  line: number;
  end: number;
}

/** An image that a Dockerfile reads. */
export interface ImageUse {
  role: ImageRole;
  ref: string;
  /** null means the platform that is built. */
  platform: string | null;
}

/** Characters of an image reference: none that could be a variable, a quote or the end of a word. */
const PLAIN = /^[A-Za-z0-9[][A-Za-z0-9._\-/:@[\]]*$/;

/** The variables in which BuildKit gives the platform that is built. */
const TARGET = /^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/;

/** The lines of `# name=value` at the start of a Dockerfile, as BuildKit reads them. */
function directives(text: string): { name: string; value: string; line: number }[] {
  const found: { name: string; value: string; line: number }[] = [];
  for (const [at, line] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    if (at === 0 && line.startsWith("#!")) continue;
    const [, name, value] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) break;
    found.push({ name: name.toLowerCase(), value, line: at + 1 });
  }
  return found;
}

function ofInstruction({ keyword, rest, line, end }: Instruction): Reference[] {
  const [, inner = "", innerRest = ""] =
    keyword === "ONBUILD" ? (/^\s*(\S+)\s*([\s\S]*)$/.exec(rest) ?? []) : ["", keyword, rest];
  const common = { platform: null, stage: null, line, end };
  const { flags, rest: words } = takeFlags(withoutMarks(innerRest));
  switch (inner.toUpperCase()) {
    case "FROM": {
      const [name = "", as = "", stage] = words.trim().split(/\s+/);
      const platform = flags.map((flag) => /^--platform=(.*)$/s.exec(flag)?.[1]).find((one) => one);
      const own = platform === undefined || TARGET.test(platform) ? null : platform;
      return [
        {
          ...common,
          kind: "from",
          name,
          platform: own,
          stage: as.toLowerCase() === "as" ? (stage?.toLowerCase() ?? null) : null,
        },
      ];
    }
    case "COPY":
    case "ADD":
      return flags.flatMap((flag): Reference[] => {
        const name = /^--from=(.*)$/s.exec(flag)?.[1];
        return name === undefined ? [] : [{ ...common, kind: "copy", name }];
      });
    case "RUN":
      return flags.flatMap((flag) => {
        const mount = /^--mount=(.*)$/s.exec(flag)?.[1];
        return csvFields(mount ?? "").flatMap((field): Reference[] => {
          const name = /^from=(.*)$/is.exec(field)?.[1];
          return name === undefined ? [] : [{ ...common, kind: "mount", name }];
        });
      });
    default:
      return [];
  }
}

/** All places of a text that name an image or a stage, in order. */
export function referencesOf(text: string, instructions: readonly Instruction[]): Reference[] {
  const syntax = directives(text).find(({ name }) => name === "syntax");
  const [name = ""] = syntax?.value.split(" ", 1) ?? [];
  const common = { platform: null, stage: null };
  return [
    ...(syntax ? [{ ...common, kind: "syntax" as const, name, line: syntax.line, end: syntax.line }] : []),
    ...instructions.flatMap(ofInstruction),
  ];
}

/** The reference with the digest appended, if there is one and the reference does not have it already. */
function pinned(ref: string, digest: string | null | undefined): string {
  return typeof digest !== "string" || ref.includes("@") || ref === "scratch" ? ref : `${ref}@${digest}`;
}

/** The lines of a reference, with `to` in place of its name. */
function rewritten(lines: string, { kind, name }: Reference, to: string): string {
  const ref = escaped(name);
  switch (kind) {
    case "syntax":
      return lines.replace(new RegExp(`(=\\s*)${ref}(?=\\s|$)`), (_, before: string) => before + to);
    case "from":
      return lines.replace(
        new RegExp(`^(\\s*\\S+[^]*?\\s)${ref}(?=\\s|$)`),
        (_, before: string) => before + to,
      );
    case "copy":
      return lines.replace(new RegExp(`(\\s--from=)${ref}(?=\\s|$)`), (_, before: string) => before + to);
    case "mount":
      return lines.replace(
        new RegExp(`(\\s--mount=(?:\\S*,)?from=)${ref}(?=[,\\s]|$)`, "i"),
        (_, before: string) => before + to,
      );
  }
}

/**
 * The references that name images. A FROM may also name an earlier stage; COPY and a mount may name any stage or, if
 * empty, the build context; COPY may name a stage by its number, which in a mount is the name of an image.
 */
function imageReferences(references: readonly Reference[]): Reference[] {
  const all = new Set(references.flatMap(({ stage }) => stage ?? []));
  const earlier = new Set<string>();
  const isStage = ({ kind, name }: Reference): boolean => {
    switch (kind) {
      case "from":
        return earlier.has(name.toLowerCase());
      case "copy":
        return name === "" || /^\d+$/.test(name) || all.has(name.toLowerCase());
      case "mount":
        return name === "" || all.has(name.toLowerCase());
      case "syntax":
        return false;
    }
  };
  return references.filter((reference) => {
    const isImage = !isStage(reference);
    if (reference.stage !== null) earlier.add(reference.stage);
    return isImage;
  });
}

/**
 * The text with digests after its images' references.
 * @param digestOf null or undefined leaves a reference as it is
 */
export function pinImages(text: string, digestOf: (ref: string) => string | null | undefined): string {
  const lines = text.split("\n");
  for (const reference of imageReferences(referencesOf(text, parseDockerfile(text)))) {
    const { name, line, end } = reference;
    const to = pinned(name, digestOf(name));
    if (to === name) continue;
    const own = rewritten(lines.slice(line - 1, end).join("\n"), reference, to);
    lines.splice(line - 1, end - line + 1, ...own.split("\n"));
  }
  return lines.join("\n");
}

/** The image that the last stage starts from, directly or through other stages. */
function lastBase(references: readonly Reference[]): string {
  const froms = references.filter(({ kind }) => kind === "from");
  let at = froms.length - 1;
  for (;;) {
    const name = froms[at]?.name ?? "";
    const earlier = froms
      .slice(0, Math.max(at, 0))
      .findLastIndex(({ stage }) => stage === name.toLowerCase());
    if (earlier < 0) return name;
    at = earlier;
  }
}

/** The images that a Dockerfile reads, sorted by role and reference, and the one that its last stage starts from. */
export interface ImagesRead {
  uses: readonly ImageUse[];
  base: string;
}

/** @param references of a whole Dockerfile: those of bodies may come after those of the template */
export function imagesRead(references: readonly Reference[]): ImagesRead {
  const base = lastBase(references);
  const byKey = new Map<string, ImageUse>();
  for (const { kind, name: ref, platform } of imageReferences(references)) {
    const role: ImageRole = kind === "from" ? (ref === base ? "base" : "stage") : kind;
    const key = `${role} ${ref}`;
    // One image has one digest: that for the platform that is built, if any place asks for that.
    if (!byKey.has(key) || platform === null) byKey.set(key, { role, ref, platform });
  }
  const uses = [...byKey].sort(([a], [b]) => compareText(a, b)).map(([, use]) => Object.freeze(use));
  return { uses, base };
}

const DIGEST = `sha256:${"0".repeat(64)}`;

/** The references to which no digest can be appended, and why. */
export function unclearReferences(
  text: string,
  instructions: readonly Instruction[],
): { reference: Reference; why: string }[] {
  const references = imageReferences(referencesOf(text, instructions));
  const pinnedText = pinImages(text, () => DIGEST);
  const after = imageReferences(referencesOf(pinnedText, parseDockerfile(pinnedText)));
  return references.flatMap((reference, at) => {
    const { name } = reference;
    if (!PLAIN.test(name)) return { reference, why: "it is not a plain image reference" };
    if (after.length === references.length && after[at]?.name === pinned(name, DIGEST)) return [];
    return { reference, why: "it is not a single word without quotes on one line" };
  });
}
