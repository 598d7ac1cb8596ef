import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { FactoryError, type Place } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Fragment, Value } from "../schemas/types.ts";
import { compileTemplate, type Render } from "./compile-template.ts";
import { keepsFileModes, parseDockerfile, withoutMarks } from "./dockerfile.ts";
import { type ContextFile, contextFiles } from "./files.ts";
import { ofCatalog } from "./memo.ts";
import { refuseInstructions } from "./refuse.ts";

/** What a fragment with its values adds to a Dockerfile. */
export interface Body {
  /** What stands behind its FROM, without spaces around it; may be empty. */
  text: string;
  /** The files that it copies, sorted by path, each once. */
  files: readonly ContextFile[];
  /** What the Dockerfile.dockerignore lets in for it. */
  allowed: readonly string[];
  /** Whether permission bits of files in the build context can reach the image through it. */
  keepsModes: boolean;
  /**
   * Whether it is the same instructions wherever it stands as lines of their own, starts no stage, and leaves the
   * lines behind it alone.
   */
  standsAlone: boolean;
}

/** A line that no Dockerfile.hbs can render: control characters are refused there. */
const BEHIND = "\u0005";

/**
 * The parser carries nothing from one instruction to the next. So where it takes the line behind the text for the start
 * of another instruction, it reads the text alone as it reads it in a Dockerfile, and what follows too.
 */
function readAlone(text: string): Pick<Body, "keepsModes" | "standsAlone"> {
  const instructions = parseDockerfile(`${text}\n${BEHIND}`);
  const last = instructions.pop();
  const ends = last?.keyword === BEHIND && last.rest === "" && last.line === text.split("\n").length + 1;
  return {
    keepsModes: keepsFileModes(instructions),
    standsAlone:
      ends && instructions.every(({ keyword, unclear }) => keyword !== "FROM" && unclear === undefined),
  };
}

const compiled = new WeakMap<FolderEntry<Fragment>, Render>();

function compile(entry: FolderEntry<Fragment>): Render {
  const known = compiled.get(entry);
  if (known) return known;
  const render = compileTemplate(entry.dockerfile.file, entry.dockerfile.text, {
    roots: { args: Object.keys(entry.document.args ?? {}), fragment: ["name", "version"] },
    helpers: { file: 1 },
  });
  compiled.set(entry, render);
  return render;
}

const filesOf = ofCatalog(() => new Map<string, readonly ContextFile[]>());

/** What stands behind `{{file "name"}}`: read once a catalog, whichever cells copy it. */
function filesBehind(catalog: Catalog, folder: string, name: string, where: Place): readonly ContextFile[] {
  const known = filesOf(catalog).get(`${folder}/${name}`);
  if (known) return known;
  const read = contextFiles(catalog.root, folder, name, where);
  filesOf(catalog).set(`${folder}/${name}`, read);
  return read;
}

/**
 * Renders a fragment's Dockerfile.hbs with its values, and reads the files that it copies.
 * @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*
 */
export function fragmentBody(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
): Body {
  const { name, version } = entry.document;
  const files: ContextFile[] = [];
  const allowed = new Set<string>();
  const rendered = compile(entry)(
    { args: { ...args }, fragment: { name, version } },
    {
      file: ([wanted = ""], where) => {
        const clean = wanted.replace(/\/$/, "");
        const path = `${entry.folder}/${clean}`;
        files.push(...filesBehind(catalog, entry.folder, clean, where));
        allowed.add(path);
        return path;
      },
    },
  );
  const { file } = entry.dockerfile;
  const instructions = parseDockerfile(rendered);
  refuseInstructions(file, instructions);
  if (instructions.some(({ keyword }) => keyword === "FROM")) {
    throw new FactoryError("TEMPLATE_INSTRUCTION", "a fragment may not start a build stage of its own", {
      where: {
        file,
        line: entry.dockerfile.text.split("\n").findIndex((line) => /^\s*FROM\b/i.test(line)) + 1 || 1,
      },
      fix: "remove FROM: the fragment's stage is written by the template's slot",
    });
  }
  const text = withoutMarks(rendered).trim();
  files.sort((a, b) => compareText(a.path, b.path));
  return {
    text,
    files: files.filter((one, at) => one.path !== files[at - 1]?.path),
    allowed: [...allowed],
    ...readAlone(text),
  };
}
