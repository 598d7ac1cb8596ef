import type { About, Cataloger, Interest } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { objectOf, parseJson, textOf } from "../loose-json.ts";
import { needsOf, purlOf, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";

const DOCUMENT: Interest = { limit: 16 << 20, beyond: "skip" };
const isDocument = (path: ImagePath) => path.endsWith(".deps.json");

/** A library of a .NET program. */
export interface DotnetLibrary {
  name: string;
  version: string;
  /** `package` and `runtimepack` come from NuGet; `project` is the program's own. */
  type: string;
  /** Of the package's archive, in hex; empty if it is not said. */
  sha512: string;
  /** `name/version` of what it needs. */
  needs: string[];
}

/** The libraries in a .deps.json, by `name/version`. Any text gives an answer. */
export function parseDepsJson(text: string): Map<string, DotnetLibrary> {
  const json = objectOf(parseJson(text));
  const needs = new Map<string, string[]>();
  for (const target of Object.values(objectOf(json.targets)))
    for (const [key, library] of Object.entries(objectOf(target))) {
      const dependencies = Object.entries(objectOf(objectOf(library).dependencies));
      needs.set(key, [
        ...(needs.get(key) ?? []),
        ...dependencies.map(([name, version]) => `${name}/${textOf(version)}`),
      ]);
    }
  const found = new Map<string, DotnetLibrary>();
  for (const [key, value] of Object.entries(objectOf(json.libraries))) {
    const [, name = "", version = ""] = /^([A-Za-z0-9_][\w.+-]*)\/(\d[\w.+-]*)$/.exec(key) ?? [];
    const { type, sha512 } = objectOf(value);
    if (name === "") continue;
    const [, base64] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(textOf(sha512)) ?? [];
    found.set(key, {
      name,
      version,
      type: textOf(type),
      sha512: base64 === undefined ? "" : Buffer.from(base64, "base64").toString("hex"),
      needs: needs.get(key) ?? [],
    });
  }
  return found;
}

function packageOf({ name, version, type, sha512 }: DotnetLibrary, path: ImagePath): Package | null {
  // A program's own project is no package of NuGet's.
  const nuget = type === "package" || type === "runtimepack";
  const title = type === "runtimepack" ? name.replace(/^runtimepack\./, "") : name;
  const purl = purlOf(nuget ? "nuget" : "generic", { name: title, version });
  if (purl === null) return null;
  return {
    purl,
    name: title,
    version,
    license: null,
    ...(sha512 && { sha512 }),
    paths: [`/${path}`],
    facts: { type, "syft:package:language": "dotnet", "syft:package:type": "dotnet" },
    needs: [],
  };
}

/** The libraries of the .NET programs of an image. */
async function catalog(files: ImageFiles, { notes, pace }: About): Promise<Package[]> {
  const found: Package[] = [];
  const paths = files.paths.filter(isDocument);
  for (const [at, path] of paths.entries()) {
    const libraries = parseDepsJson(files.read(path)?.toString("utf8") ?? "");
    if (libraries.size === 0) notes.add("left out files that name no .NET library", `/${path}`);
    const byKey = new Map<string, Package>();
    for (const [key, library] of libraries) {
      const made = packageOf(library, path);
      if (made) byKey.set(key, made);
    }
    for (const [key, own] of byKey) {
      const needs = (libraries.get(key)?.needs ?? []).flatMap((need) => byKey.get(need)?.purl ?? []);
      own.needs = needsOf(own.purl, needs);
      found.push(own);
    }
    if (pace.due()) await pace.rest(".NET programs", at, paths.length);
  }
  return found;
}

export const nuget: Cataloger = {
  wants: (path) => (isDocument(path) ? DOCUMENT : null),
  shape: 1,
  catalog,
};
