import type { About, Cataloger } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { needsOf, purlOf, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { programIn } from "../program-reader.ts";

/** A module of a Go program. `version` is empty where it was built from a folder and Go did not know. */
export interface GoModule {
  path: string;
  version: string;
  /** The `h1:` sum of go.sum; empty if there is none. */
  sum: string;
}

/** What a Go program says about its build. */
export interface GoBuild {
  /**
   * The module of the program itself, or its package if Go was told of no module; null if it was built from single files.
   */
  main: GoModule | null;
  modules: GoModule[];
  /** Settings of the build: `GOARCH`, `vcs.revision` … */
  settings: Map<string, string>;
}

const MOST_MODULES = 20_000;
/** What Go calls the main module of a program that was built from single files. */
const FILES = "command-line-arguments";

function moduleOf([path = "", version = "", sum = ""]: readonly string[]): GoModule | null {
  if (!/^[A-Za-z0-9][^\s\\@]*$/.test(path) || path.includes("..")) return null;
  return { path, version: version === "(devel)" ? "" : version, sum };
}

/** Reads the text about modules (runtime/debug, BuildInfo). Any text gives an answer. */
export function parseGoModules(text: string): GoBuild {
  const build: GoBuild = { main: null, modules: [], settings: new Map() };
  for (const line of text.split("\n")) {
    const [kind = "", ...fields] = line.split("\t");
    const found = moduleOf(fields);
    // Paths without a host are Go's own, and those of programs that were built from single files.
    if (kind === "path" && found && /^[^/]+\.[^/]+\//.test(found.path)) build.main = found;
    else if (kind === "mod") build.main = found?.path === FILES ? null : found;
    else if (kind === "dep" && found && build.modules.length < MOST_MODULES) build.modules.push(found);
    else if (kind === "=>" && found?.version) {
      // A folder in the place of a module has no version, and is known by the module's name.
      build.modules.pop();
      build.modules.push(found);
    } else if (kind === "build") {
      const [, name = "", value = ""] = /^([^=]+)=(.*)$/.exec(fields.join("\t")) ?? [];
      build.settings.set(name, value);
    }
  }
  return build;
}

/** The version that Go gives a commit without a tag (go.dev/ref/mod, "Pseudo-versions"); empty if it is not known. */
function pseudoVersion(settings: ReadonlyMap<string, string>): string {
  const revision = settings.get("vcs.revision") ?? "";
  const time = (settings.get("vcs.time") ?? "").replace(/[-:TZ]/g, "");
  return /^[0-9a-f]{12,}$/.test(revision) && /^\d{14}$/.test(time)
    ? `v0.0.0-${time}-${revision.slice(0, 12)}`
    : "";
}

/** `go1.22.1 X:boringcrypto` is 1.22.1. A Go that was built from its sources has no version. */
function releaseOf(version: string): string {
  return /^go(\d+(?:\.\d+)*(?:(?:beta|rc)\d+)?)/.exec(version)?.[1] ?? "";
}

function packageOf(
  { path, version, sum }: GoModule,
  where: ImagePath,
  facts: Record<string, string> = {},
): Package | null {
  const slash = path.lastIndexOf("/");
  const purl = purlOf("golang", {
    group: path.slice(0, Math.max(0, slash)),
    name: path.slice(slash + 1),
    version,
  });
  if (purl === null) return null;
  return {
    purl,
    name: path,
    version,
    license: null,
    paths: [`/${where}`],
    facts: {
      ...facts,
      "syft:package:language": "go",
      "syft:package:type": "go-module",
      ...(sum !== "" && { "syft:metadata:h1Digest": sum }),
    },
    needs: [],
  };
}

function libraryOf(version: string, where: ImagePath): Package | null {
  const release = releaseOf(version);
  const found = release === "" ? null : packageOf({ path: "stdlib", version: release, sum: "" }, where);
  if (found && /^\d+(?:\.\d+)*$/.test(release)) found.cpe = `cpe:2.3:a:golang:go:${release}:-:*:*:*:*:*:*`;
  return found;
}

/** The modules that one program is made of. */
function packagesOf(go: { version: string; modules: string }, where: ImagePath): Package[] {
  const { main, modules, settings } = parseGoModules(go.modules);
  const library = libraryOf(go.version, where);
  const others = [library, ...modules.map((one) => packageOf(one, where))].filter((one) => one !== null);
  if (!main) return others;
  const version = main.version || pseudoVersion(settings);
  const own = packageOf({ ...main, version }, where, {
    revision: settings.get("vcs.revision") ?? "",
    ...(settings.get("vcs.modified") === "true" && { modified: "true" }),
  });
  if (!own) return others;
  own.needs = needsOf(
    own.purl,
    others.map((one) => one.purl),
  );
  return [own, ...others];
}

/** The modules of the Go programs of an image, and the standard library that each was built with. */
async function catalog(files: ImageFiles, { pace }: About): Promise<Package[]> {
  const found: Package[] = [];
  for (const [at, path] of files.programs.entries()) {
    const { go } = programIn(files.read(path));
    if (go) found.push(...packagesOf(go, path));
    if (pace.due()) await pace.rest("Go programs", at, files.programs.length);
  }
  return found;
}

export const golang: Cataloger = { wants: () => null, shape: 1, catalog };
