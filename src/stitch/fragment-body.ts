import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { isSharedId } from "../catalog/names.ts";
import { namedBy } from "../catalog/library-documents.ts";
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
import { refuseCopies } from "./refuse-copies.ts";
import { secretsOf } from "./refuse-secrets.ts";
import type { SecretUse } from "./secret-uses.ts";
import { type DeclaredSource, type Source, sourceOf } from "./source.ts";

/** What a fragment with its values adds to a Dockerfile. */
export interface Body {
  /** The text after its FROM, trimmed; may be empty. */
  text: string;
  /** The files that it copies, sorted by path, each once. */
  files: readonly ContextFile[];
  /** The same as its Dockerfile.hbs names them, from the workspace's root. */
  allowed: readonly string[];
  /** The sources that it copies. */
  sources: readonly Source[];
  /** The images and stages that it names. */
  references: readonly Reference[];
  /** The fragments that it names with `{{stage "…"}}`. */
  stages: readonly { name: string; where: Place }[];
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
    helpers: { file: 1, source: 1, stage: 1 },
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

/** The path that `{{source "name"}}` means; null if something stands in for it. @throws FactoryError SOURCE_*, FILE_* */
function pathOfSource(
  catalog: Catalog,
  sources: Map<string, Source>,
  { wanted, declared, where }: { wanted: string; declared: readonly DeclaredSource[]; where: Place },
): string | null {
  const declaration = declared.find(({ name }) => name === wanted);
  if (!declaration) {
    throw new FactoryError("SOURCE_UNDECLARED", `there is no source \`${wanted}\``, {
      where,
      fix: `declare it in the manifest or in fragment.yaml: \`sources: {${wanted}: {path: …}}\``,
    });
  }
  const { path } = declaration;
  if (path === null) return null;
  const source = sourceOf(catalog, { ...declaration, path });
  sources.set(source.path, source);
  return source.path;
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

/** The sources that a fragment's Dockerfile.hbs names, in whichever branch, each with its first place. */
export function sourcesNamed(entry: FolderEntry<Fragment>): ReadonlyMap<string, Place> {
  return compile(entry).named.source ?? new Map<string, Place>();
}

/**
 * Renders a fragment's Dockerfile.hbs with its values, and reads the files that it copies.
 * @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*, IMAGE_UNCLEAR, SOURCE_*, SECRET_*, COPY_UNDECLARED
 */
export function fragmentBody(
  catalog: Catalog,
  entry: FolderEntry<Fragment>,
  args: Readonly<Record<string, Value>>,
  declared: readonly DeclaredSource[],
): Body {
  const { name, version } = entry.document;
  const files: ContextFile[] = [];
  const allowed = new Set<string>();
  const stages: { name: string; where: Place }[] = [];
  const lists: WrittenList[] = [];
  const list =
    (helper: WrittenList["helper"]): Helpers[string] =>
    ([items, flags], where) => {
      lists.push({ helper, items: items as Scalar[], flags: flags === true, where });
      return listMark(lists.length - 1);
    };
  const sources = new Map<string, Source>();
  const readable = new Set<string>();
  const rendered = compile(entry)(
    { args: { ...args }, fragment: { name, version } },
    {
      words: list("words"),
      array: list("array"),
      stage: ([param], where) => {
        const stage = namedBy(entry, String(param));
        stages.push({ name: stage, where });
        if (isSharedId(stage)) return stage;
        throw new FactoryError("STAGE_UNKNOWN", `${JSON.stringify(stage)} is not the name of a fragment`, {
          where,
          fix: "name a fragment whose stage comes before this one",
        });
      },
      file: ([wanted], where) => {
        const clean = String(wanted).replace(/\/$/, "");
        const path = `${entry.folder}/${clean}`;
        files.push(...filesBehind(catalog, entry.folder, clean, where));
        allowed.add(path);
        readable.add(path);
        return path;
      },
      source: ([wanted], where) => {
        const path = pathOfSource(catalog, sources, { wanted: String(wanted), declared, where });
        // What something stands in for may be any path: then copies are checked with a manifest that gives it.
        readable.add(path ?? ".");
        return path ?? `sources/${String(wanted)}`;
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
  refuseCopies(catalog, entry, instructions, readable);
  files.sort((a, b) => compareText(a.path, b.path));
  return {
    text,
    files: files.filter((one, at) => one.path !== files[at - 1]?.path),
    allowed: [...allowed],
    sources: [...sources.values()],
    references,
    stages,
    secrets,
  };
}
