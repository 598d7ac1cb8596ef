import { realpathSync } from "node:fs";
import { FactoryError, type Finding } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import { isRefusal } from "../files/refused.ts";
import { type Instruction, parseDockerfile } from "../stitch/dockerfile.ts";

/** A Dockerfile to adopt, as BuildKit's parser reads it. */
export interface Original {
  /** As it was named on the command line. */
  file: string;
  /** Its lines. Only those of here-documents keep a carriage return at their end: it is part of what they hold. */
  lines: readonly string[];
  instructions: readonly Instruction[];
  /** Lines such as `# syntax=docker/dockerfile:1` at its start. */
  directives: readonly string[];
}

/** The largest Dockerfile, in bytes. */
const FILE_LIMIT = 1 << 20;

const KEYWORDS = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);
/** Those that may stand alone: BuildKit takes an empty array of CMD or ENTRYPOINT, but no empty line. */
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f]/;

function unreadable(file: string, error: NodeJS.ErrnoException): Finding {
  const isMissing = error.code === "ENOENT" || error.code === "ENOTDIR";
  return {
    code: isMissing ? "FILE_MISSING" : "FILE_UNREADABLE",
    what: isMissing ? "there is no such file" : `it cannot be read (${error.code})`,
    where: { file },
    fix: isMissing ? "correct the path" : "make it readable",
  };
}

/** @throws FactoryError FILE_*, DOCKERFILE_INVALID */
function textOf(file: string, path: string): string {
  const refuse = ({ code, what, where, fix }: Finding): never => {
    throw new FactoryError(code, what, { where, fix });
  };
  let bytes: Uint8Array | undefined;
  try {
    bytes = readRegular(realpathSync.native(path), FILE_LIMIT)?.bytes;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    refuse(unreadable(file, error));
  }
  if (!bytes) {
    return refuse({
      code: "FILE_UNREADABLE",
      what: "it is not a regular file of at most a mebibyte",
      where: { file },
      fix: "name a Dockerfile",
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse({
      code: "DOCKERFILE_INVALID",
      what: "it is not UTF-8 text",
      where: { file },
      fix: "save it as UTF-8",
    });
  }
}

/** What BuildKit would refuse, or read in another way than it looks. */
function* faultsOf({ file, lines, instructions }: Original): Iterable<Finding> {
  const fault = (line: number, what: string, fix: string): Finding => ({
    code: "DOCKERFILE_INVALID",
    what,
    where: { file, line },
    fix,
  });
  const control = lines.findIndex((line) => CONTROL.test(line));
  if (control >= 0) yield fault(control + 1, "there is a control character", "remove it");
  for (const { keyword, rest, line, unclear } of instructions) {
    if (!KEYWORDS.has(keyword))
      yield fault(line, `there is no instruction \`${keyword.slice(0, 40)}\``, "correct it");
    else if (rest.trim() === "") yield fault(line, `${keyword} says nothing`, "complete it");
    else if (unclear !== undefined) yield fault(line, unclear, "correct it");
  }
  const opening = instructions.find(({ keyword }) => keyword !== "ARG");
  if (opening?.keyword !== "FROM")
    yield fault(opening?.line ?? 1, "it does not start with FROM", "add a FROM");
}

/** The lines of `# name=value` at the start. */
function directivesOf(lines: readonly string[]): string[] {
  const end = lines.findIndex((line) => !/^#\s*[a-zA-Z][a-zA-Z0-9]*\s*=\s*.+$/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).map((line) => line.trimEnd());
}

/**
 * Reads a Dockerfile.
 * @param file as findings name it
 * @param path absolute
 * @throws FactoryError FILE_MISSING, FILE_UNREADABLE, or DOCKERFILE_INVALID with all that is wrong with it
 */
export function readOriginal(file: string, path: string): Original {
  return parseOriginal(file, textOf(file, path));
}

/** Reads the text of a Dockerfile. @throws FactoryError DOCKERFILE_INVALID with all that is wrong with it */
export function parseOriginal(file: string, whole: string): Original {
  const text = whole.replace(/^\ufeff/, "");
  const raw = text.split("\n");
  const directives = directivesOf(raw);
  const escape = directives.find((line) => /^#\s*escape\s*=\s*[^\\]/i.test(line));
  if (escape !== undefined) {
    throw new FactoryError("DOCKERFILE_INVALID", `\`${escape}\`: only \`\\\` can continue a line here`, {
      where: { file, line: directives.indexOf(escape) + 1 },
      fix: "remove the directive, and let lines end in `\\`",
    });
  }
  const instructions = parseDockerfile(text);
  const inHeredoc = new Set<number>();
  for (const { end, last } of instructions) for (let at = end; at < last - 1; at += 1) inHeredoc.add(at);
  const lines = raw.map((line, at) => (inHeredoc.has(at) ? line : line.replace(/\r+$/, "")));
  const original = {
    file,
    lines,
    instructions,
    directives: directives.filter((line) => !/^#\s*escape\b/i.test(line)),
  };
  const findings = [...faultsOf(original)];
  const [first] = findings;
  if (first) throw new FactoryError(first.code, first.what, { where: first.where, fix: first.fix, findings });
  return original;
}
