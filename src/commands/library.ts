import type { Catalog, Library } from "../catalog/catalog.ts";
import { splitSharedId } from "../catalog/names.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { unknownName } from "../catalog/references.ts";
import { errorOf, FactoryError } from "../errors.ts";
import { lockedDigest, libraryState } from "../library/state.ts";
import { catalogWith } from "../library/record-library.ts";
import type { LibraryChange } from "../library/changes.ts";
import { pushLibrary } from "../library/push-library.ts";
import { addLibrary, type LibraryUpdate, updateLibrary } from "../library/update-library.ts";
import { available } from "../library/versions-of.ts";
import { sizeText } from "../model/bytes.ts";
import { quoted } from "../model/visible.ts";
import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";

/** Characters of a digest that people compare. */
const DIGEST = "sha256:".length + 12;

const brief = (digest: string): string => `${digest.slice(0, DIGEST)}…`;

/** The workspace as it is: nothing is fetched, and no library has to be what is locked. */
const workspace = (context: Context): Promise<OpenCatalog> => context.catalog({ trust: "any", fetch: false });

const sourceText = ({ source }: Pick<Library, "source">): string => source.path ?? `oci://${source.oci}`;

/** The ids of a library's fragments or templates with their versions. */
function inLibrary(name: string, ids: readonly string[], versionsOf: (id: string) => string[]) {
  return ids.flatMap((id) =>
    splitSharedId(id).library === name ? [{ name: id, versions: versionsOf(id) }] : [],
  );
}

/** What a library brings. */
function brings(catalog: Catalog, { name }: Library) {
  return {
    fragments: inLibrary(name, catalog.fragmentNames(), catalog.fragmentVersions),
    templates: inLibrary(name, catalog.templateIds(), catalog.templateVersions),
  };
}

/** The libraries of these names; all of them if none is named. @throws FactoryError with a finding for each unknown name */
function chosen(catalog: Catalog, names: readonly string[]): readonly Library[] {
  const all = catalog.libraries();
  if (names.length === 0) return all;
  const known = all.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw errorOf(
      unknown.map((name) =>
        unknownName("UNKNOWN_LIBRARY", `there is no library ${quoted(name)}`, name, known),
      ),
    );
  }
  return all.filter(({ name }) => names.includes(name));
}

const NONE = "factory.yaml declares no library: add one with `factory library add NAME SOURCE`";

/** `factory library list` */
export async function libraryList(context: Context): Promise<CommandResult> {
  const catalog = await workspace(context);
  const libraries = catalog.libraries().map((library) => {
    const state = libraryState(catalog, library);
    const held =
      state.digest === null
        ? { fragments: [], templates: [] }
        : brings(catalogWith(catalog, library), library);
    return { name: library.name, source: sourceText(library), ...state, ...held };
  });
  const rows = libraries.map(({ name, source, status, fragments, templates }) => [
    name,
    status,
    [...fragments, ...templates].map((one) => `${one.name} ${one.versions.join(", ")}`).join("; "),
    source,
  ]);
  return {
    text: rows.length === 0 ? NONE : table(["LIBRARY", "STATUS", "BRINGS", "SOURCE"], rows, context.columns),
    json: { libraries },
  };
}

function changeText({ folder, name, version, change }: LibraryChange, library: string): string {
  const sign = { added: "+", removed: "-", changed: "!" }[change];
  const note = change === "changed" ? ", which has changed without a new version" : "";
  return `  ${sign} ${folder.slice(0, -1)} ${library}.${name} ${version}${note}`;
}

function updateText({ library, before, after, from, changes }: LibraryUpdate, context: Context): string[] {
  const { bold, dim } = context.color;
  const { name } = library;
  const moved = sourceText({ source: from }) === sourceText(library) ? [] : [`  now ${sourceText(library)}`];
  if (before === after) return [dim(`${name}: unchanged, ${brief(after)}`), ...moved];
  const said = before === null ? `${brief(after)} (new)` : `${brief(before)} → ${brief(after)}`;
  return [
    `${bold(name)}: ${said}`,
    ...moved,
    ...(changes ?? []).map((one) => changeText(one, name)),
    ...(changes === null && before !== null ? ["  what it held before is not at hand to be compared"] : []),
  ];
}

const updateJson = ({ library, before, after, from, changes }: LibraryUpdate) => ({
  name: library.name,
  source: sourceText(library),
  source_before: sourceText({ source: from }),
  before,
  after,
  changes,
});

/** `factory library add NAME SOURCE` */
export async function libraryAdd(context: Context, name: string, source: string): Promise<CommandResult> {
  const catalog = await workspace(context);
  const world = await context.world();
  const added = await addLibrary(catalog, { name, source, cwd: context.cwd }, world.registries);
  const held = brings(added.catalog, added.library);
  const { bold } = context.color;
  return {
    text: [
      `${bold(name)}: ${sourceText(added.library)}, ${brief(added.after)}`,
      ...[...held.fragments, ...held.templates].map((one) => `  ${one.name} ${one.versions.join(", ")}`),
      "written to factory.yaml and factory.lock: commit both",
    ].join("\n"),
    json: { name, source: sourceText(added.library), digest: added.after, ...held },
  };
}

/** `factory library update [NAME…]` */
export async function libraryUpdate(
  context: Context,
  names: readonly string[],
  { to }: { to?: string } = {},
): Promise<CommandResult> {
  if (to !== undefined && names.length !== 1)
    throw new FactoryError("USAGE", "--to is for one library", {
      fix: "name the library: `factory library update NAME --to TAG`",
    });
  const catalog = await workspace(context);
  const world = await context.world();
  const updates: LibraryUpdate[] = [];
  // Each is written before the next one is asked for: what fails keeps none of the others from being up to date.
  for (const library of chosen(catalog, names))
    updates.push(await updateLibrary(catalog, library, to, world.registries));
  return {
    text: updates.length === 0 ? NONE : updates.flatMap((one) => updateText(one, context)).join("\n"),
    json: { libraries: updates.map(updateJson) },
  };
}

/** `factory library outdated [NAME…]` */
export async function libraryOutdated(context: Context, names: readonly string[]): Promise<CommandResult> {
  const catalog = await workspace(context);
  const libraries = chosen(catalog, names);
  const registries = libraries.some(({ source }) => source.oci !== undefined)
    ? await (await context.world()).registries()
    : undefined;
  const found = await Promise.all(
    libraries.map(async (library) => {
      const { name, source } = library;
      const own = { name, source: sourceText(library), current: lockedDigest(catalog, library) };
      if (source.oci === undefined || !registries) {
        const { digest } = catalog.libraryContent(library);
        const status = own.current === digest ? ("current" as const) : ("changed" as const);
        return { ...own, status, available: digest, newer: null };
      }
      const now = await available(library, registries);
      const [, declared = null] = source.oci.split("@");
      const isMoved = now.digest !== null && now.digest !== declared;
      const status =
        now.newer !== null ? ("newer" as const) : isMoved ? ("moved" as const) : ("current" as const);
      return { ...own, current: declared, status, available: now.digest, newer: now.newer };
    }),
  );
  const { green, yellow } = context.color;
  const line = ({ name, source, status, newer, available: now }: (typeof found)[number]): string => {
    if (status === "current") return `${green("current")}  ${name}: ${source}`;
    const said = {
      changed: `its folder holds something else now, ${brief(now ?? "")}: \`factory library update ${name}\``,
      moved: `its tag means ${brief(now ?? "")} now: \`factory library update ${name}\``,
      newer: `there is a tag ${newer}: \`factory library update ${name} --to ${newer}\``,
    }[status];
    return `${yellow("outdated")} ${name}: ${said}`;
  };
  return {
    text: found.length === 0 ? NONE : found.map(line).join("\n"),
    json: { libraries: found },
    exitCode: found.every(({ status }) => status === "current") ? 0 : 1,
  };
}

/** `factory library push REFERENCE` */
export async function libraryPush(
  context: Context,
  to: string,
  { replace = false }: { replace?: boolean },
): Promise<CommandResult> {
  const catalog = await workspace(context);
  const { registries } = await context.world();
  const pushed = await pushLibrary(catalog, to, { replace, registries });
  const { bold, dim } = context.color;
  const counts = `${pushed.fragments} versions of fragments, ${pushed.templates} of templates, ${sizeText(pushed.bytes)}`;
  return {
    text: pushed.unchanged
      ? dim(`unchanged: ${pushed.ref}`)
      : `${bold(pushed.ref)}\n  ${counts}\n  use it with \`factory library add NAME oci://${to.replace(/^oci:\/\//, "")}\``,
    json: pushed,
  };
}
