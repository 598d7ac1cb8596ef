import type { DeclaredLicense } from "../package.ts";
import { listOf, objectOf, parseJson, textOf } from "../loose-json.ts";
import { spdxDeclared } from "../spdx.ts";

/** The part of a package.json that an inventory needs. Name and version are empty where they are not an npm package's. */
export interface NpmManifest {
  name: string;
  version: string;
  /** Not to be published: an application, or a part of a package. */
  private: boolean;
  license: DeclaredLicense | null;
  author: string;
  /** The names of what it needs at run time. */
  needs: string[];
  /** Folders below it that hold packages of their own: `packages/*`. */
  workspaces: string[];
}

/** Reads a package.json; null where the text is no JSON object. */
export function parsePackageJson(text: string): NpmManifest | null {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const json = objectOf(value);
  const name = textOf(json.name);
  const version = textOf(json.version);
  const named = /^(?:@[^/@\s]+\/)?[^/@\s]+$/.test(name) && version !== "" && !/\s/.test(version);
  const declared = [json.license, ...listOf(json.licenses)];
  return {
    name: named ? name : "",
    version: named ? version : "",
    private: json.private === true,
    license: spdxDeclared(declared.map((one) => textOf(one) || textOf(objectOf(one).type))),
    author: textOf(json.author) || textOf(objectOf(json.author).name),
    needs: [...Object.keys(objectOf(json.dependencies)), ...Object.keys(objectOf(json.optionalDependencies))],
    workspaces: [...listOf(json.workspaces), ...listOf(objectOf(json.workspaces).packages)]
      .map(textOf)
      .filter((pattern) => pattern !== ""),
  };
}

export interface LockEntry {
  version: string;
  sha512: string | null;
  optional: boolean;
}

/** The packages of a node_modules/.package-lock.json, by their path from the folder that holds node_modules. */
export function parseNpmLock(text: string): Map<string, LockEntry> {
  const entries = new Map<string, LockEntry>();
  for (const [path, value] of Object.entries(objectOf(objectOf(parseJson(text)).packages))) {
    const entry = objectOf(value);
    const [, base64] = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)/.exec(textOf(entry.integrity)) ?? [];
    const sha512 = base64 === undefined ? null : Buffer.from(base64, "base64").toString("hex");
    const optional = entry.optional === true || entry.dev === true || entry.devOptional === true;
    entries.set(path, { version: textOf(entry.version), sha512, optional });
  }
  return entries;
}
