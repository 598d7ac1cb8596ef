import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { FactoryError, type Place } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { ArgDeclaration, Fragment, Scalar, Value } from "../schemas/types.ts";
import { compileTemplate, type Helpers, type Render } from "./compile-template.ts";
import { type Instruction, parseDockerfile, withoutMarks } from "./dockerfile.ts";
import { type ContextFile, contextFiles } from "./files.ts";
import { type Reference, referencesOf } from "./images.ts";
import { listMark, placeLists, type WrittenList } from "./list-words.ts";
import { ofCatalog } from "./memo.ts";
import { refuseInstructions, refuseParents, refuseSources } from "./refuse.ts";
import { secretsOf } from "./refuse-secrets.ts";
import type { SecretUse } from "./secret-uses.ts";

/** What a fragment with its values adds to a Dockerfile. */
export interface Body {
  /** The text after its FROM, trimmed; may be empty. */
  text: string;
  /** The files that it copies, sorted by path, each once. */
  files: readonly ContextFile[];
  /** What the Dockerfile.dockerignore lets through for it. */
  allowed: readonly string[];
  /** The images and stages that it names. */
  references: readonly Reference[];
  /** The secrets that it uses. */
  secrets: readonly SecretUse[];
}

/** A line that no Dockerfile.hbs can render, since control characters are refused there. */
const BEHIND = "\u0005";

/**
 * The instructions of a body. The parser carries nothing over from one instruction to the next. So if it reads the line
 * after the body as a new instruction, it reads the body, and what follows, in a whole Dockerfile just as it does alone.
 * @throws FactoryError TEMPLATE_INSTRUCTION if the body would continue into the next line, ARG_UNSAFE
 */
function readAlone(file: string, text: string): Instruction[] {
  refuseInstructions(file, parseDockerfile(text));
  const instructions = parseDockerfile(`${text}\n${BEHIND}`);
  const last = instructions.at(-1);
  const lines = text.split("\n");
  if (last?.keyword !== BEHIND || last.line !== lines.length + 1) {
    throw new FactoryError("TEMPLATE_INSTRUCTION", "the fragment's last line continues into the next one", {
      where: { file, line: lines.length },
      fix: "remove the `\\` at its end",
    });
  }
  return instructions.slice(0, -1);
}

/** Whether the declaration of a list itself names items that start with `-`. */
function namesFlags({ items }: ArgDeclaration): boolean {
  return items?.enum?.some((one) => String(one).startsWith("-")) ?? false;
}

const compiled = new WeakMap<FolderEntry<Fragment>, Render>();

function compile(entry: FolderEntry<Fragment>): Render {
  const known = compiled.get(entry);
  if (known) return known;
  const declared = Object.entries(entry.document.args ?? {});
  const render = compileTemplate(entry.dockerfile.file, entry.dockerfile.text, {
    roots: { args: declared.map(([name]) => name), fragment: ["name", "version"] },
    helpers: { file: 1 },
    kinds: new Map(
      declared.flatMap(([name, { type }]) =>
        type === "list" || type === "map" ? [[`args.${name}`, type] as const] : [],
      ),
    ),
    flags: new Set(declared.flatMap(([name, one]) => (namesFlags(one) ? `args.${name}` : []))),
  });
  compiled.set(entry, render);
  return render;
}

const filesOf = ofCatalog(() => new Map<string, readonly ContextFile[]>());

/** The files that `{{file "name"}}` means: read once per catalog, whichever cells copy them. */
function filesBehind(catalog: Catalog, folder: string, name: string, where: Place): readonly ContextFile[] {
  const known = filesOf(catalog).get(`${folder}/${name}`);
  if (known) return known;
  const read = contextFiles(catalog.root, folder, name, where);
  filesOf(catalog).set(`${folder}/${name}`, read);
  return read;
}

/**
 * Renders a fragment's Dockerfile.hbs with its values, and reads the files that it copies.
 * @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*, IMAGE_UNCLEAR, SOURCE_UNPINNED, SECRET_*
 */
export function fragmentBody(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
): Body {
  const { name, version } = entry.document;
  const files: ContextFile[] = [];
  const allowed = new Set<string>();
  const lists: WrittenList[] = [];
  const list =
    (helper: WrittenList["helper"]): Helpers[string] =>
    ([items, flags], where) => {
      lists.push({ helper, items: items as Scalar[], flags: flags === true, where });
      return listMark(lists.length - 1);
    };
  const rendered = compile(entry)(
    { args: { ...args }, fragment: { name, version } },
    {
      words: list("words"),
      array: list("array"),
      file: ([wanted], where) => {
        const clean = String(wanted).replace(/\/$/, "");
        const path = `${entry.folder}/${clean}`;
        files.push(...filesBehind(catalog, entry.folder, clean, where));
        allowed.add(path);
        return path;
      },
    },
  );
  const { file } = entry.dockerfile;
  const marked = placeLists(rendered.trim(), lists);
  const instructions = readAlone(file, marked);
  if (instructions.some(({ keyword }) => keyword === "FROM")) {
    throw new FactoryError("TEMPLATE_INSTRUCTION", "a fragment may not start a build stage of its own", {
      where: {
        file,
        line: entry.dockerfile.text.split("\n").findIndex((line) => /^\s*FROM\b/i.test(line)) + 1 || 1,
      },
      fix: "remove FROM: the template's slot writes the fragment's stage",
    });
  }
  const text = withoutMarks(marked);
  refuseSources(file, text, instructions, entry.document.reuse);
  const references = referencesOf("", instructions);
  refuseParents(file, references, undefined);
  const secrets = secretsOf(entry, instructions);
  files.sort((a, b) => compareText(a.path, b.path));
  return {
    text,
    files: files.filter((one, at) => one.path !== files[at - 1]?.path),
    allowed: [...allowed],
    references,
    secrets,
  };
}
