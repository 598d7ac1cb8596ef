import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import { type Instruction, withoutMarks } from "./dockerfile.ts";
import { copiedWords, isRemote } from "./sources.ts";
import { csvFields, takeFlags } from "./words.ts";

/** A path of the build context that an instruction reads. */
interface ContextPath {
  how: "COPY" | "ADD" | "bind mount";
  path: string;
  line: number;
}

/** The path that a bind mount of the build context has; undefined for any other mount, and for the context as a whole. */
function mountedPath(flag: string): string | undefined {
  const mount = /^--mount=(.*)$/s.exec(flag)?.[1];
  if (mount === undefined) return undefined;
  const options = new Map(
    csvFields(mount).map((field): [string, string] => {
      const [name = "", value = ""] = field.split(/=(.*)/s);
      return [name.trim().toLowerCase(), value];
    }),
  );
  if ((options.get("type") ?? "bind") !== "bind" || (options.get("from") ?? "") !== "") return undefined;
  const path = options.get("source") ?? options.get("src");
  return path === undefined || fromRoot(path) === "." ? undefined : path;
}

function pathsOf({ keyword, rest, line }: Instruction): ContextPath[] {
  const text = withoutMarks(rest);
  const [, inner = "", innerRest = ""] =
    withoutMarks(keyword) === "ONBUILD"
      ? (/^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? [])
      : ["", withoutMarks(keyword), text];
  const how = inner.toUpperCase();
  const { flags, rest: words } = takeFlags(innerRest);
  if (how === "RUN") {
    return flags.flatMap((flag): ContextPath[] => {
      const path = mountedPath(flag);
      return path === undefined ? [] : [{ how: "bind mount", path, line }];
    });
  }
  if (how !== "COPY" && how !== "ADD") return [];
  if (flags.some((flag) => /^--from=./s.test(flag))) return [];
  // What ADD takes by a variable alone may be an address; refuseSources sees to that.
  return copiedWords(words).flatMap((path): ContextPath[] =>
    /^\d*<</.test(path) || (how === "ADD" && (isRemote(path) || path.startsWith("$")))
      ? []
      : [{ how, path, line }],
  );
}

/** A path of the context without detours: it starts at the context's root, whether it says so or not. */
function fromRoot(path: string): string {
  return posix.normalize(`/${path}`).slice(1).replace(/\/$/, "") || ".";
}

/** Whether a path may lie in what is declared. Of one with a wildcard or a variable only the beginning is known. */
function isCovered(path: string, readable: ReadonlySet<string>): boolean {
  const open = path.search(/[*?[$]/);
  const start = open < 0 ? fromRoot(path) : fromRoot(`${path.slice(0, open)}x`).slice(0, -1);
  for (const root of readable) {
    if (root === "." || start === root || start.startsWith(`${root}/`)) return true;
    if (open >= 0 && root.startsWith(start)) return true;
  }
  return false;
}

/** A name for a source, from what it is to be: `services/billing` gives `billing`. */
function nameFor(path: string): string {
  const name = (path.split("/").at(-1) ?? "").toLowerCase().replace(/[^a-z0-9_]+/g, "_");
  return /^[a-z]/.test(name) ? name.slice(0, 63) : "app";
}

function refuse(file: string, { how, path, line }: ContextPath, fix: string): never {
  throw new FactoryError(
    "COPY_UNDECLARED",
    `${how === "ADD" ? "an" : "a"} ${how} reads ${quoted(path)}, which is not declared: only declared files reach the builder`,
    { where: { file }, fix: `${fix} (line ${line} of the rendered text)` },
  );
}

/**
 * Refuses a COPY, ADD or bind mount of something in the workspace that no source and no file of the fragment is.
 * @param readable the paths that `{{file …}}` and `{{source …}}` gave
 * @throws FactoryError COPY_UNDECLARED
 */
export function refuseCopies(
  { root }: Pick<Catalog, "root">,
  { dockerfile, folder }: FolderEntry<Fragment>,
  instructions: readonly Instruction[],
  readable: ReadonlySet<string>,
): void {
  const bare = instructions.flatMap(pathsOf).find(({ path }) => !isCovered(path, readable));
  if (!bare) return;
  const path = fromRoot(bare.path);
  const own = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
  const isOwn = own !== "." && !/[*?[$]/.test(own) && existsSync(join(root, folder, own));
  if (isOwn) refuse(dockerfile.file, bare, `write {{file "${own}"}}`);
  const name = nameFor(path);
  const shown = /^[A-Za-z0-9._/+-]+$/.test(path) ? path : "…";
  refuse(
    dockerfile.file,
    bare,
    `declare it in the manifest, \`sources: {${name}: {path: ${shown}}}\`, and write {{source "${name}"}}`,
  );
}

/** Refuses the same in a template, which has no files. @throws FactoryError COPY_UNDECLARED */
export function refuseTemplateCopies(
  { dockerfile }: FolderEntry<Template>,
  instructions: readonly Instruction[],
): void {
  const [bare] = instructions.flatMap(pathsOf);
  if (bare) refuse(dockerfile.file, bare, "copy it in a fragment: a template has no files");
}
