import type { About, Cataloger, Interest, Reducing } from "../cataloger.ts";
import { describedPackages } from "../described-packages.ts";
import type { ImageFiles } from "../image-files.ts";
import { listOf, objectOf, parseJson, textOf } from "../loose-json.ts";
import type { Pace } from "../pace.ts";
import { purlOf, type DeclaredLicense, type Package } from "../package.ts";
import { cleanPath, folderOf, type ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";

const RECORD = /(?:^|\/)conda-meta\/[^/]+\.json$/;

/** What conda keeps of an installed package. */
export interface CondaRecord {
  name: string;
  version: string;
  build: string;
  /** Its last word: `conda-forge`. */
  channel: string;
  /** `linux-64` or `noarch`. */
  subdir: string;
  license: DeclaredLicense | null;
  /** Of the archive that it came in, in hex; empty if it is not said. */
  sha256: string;
  needs: string[];
  /** What it installed, from the environment's folder on. */
  files: string[];
}

/** Reads a record of conda-meta; null if it does not name a package and its version. */
export function parseCondaRecord(text: string): CondaRecord | null {
  const json = objectOf(parseJson(text));
  const [name, version] = [textOf(json.name), textOf(json.version)];
  if (!/^[a-z0-9_][\w.-]*$/i.test(name) || !/^[\w.!+~-]+$/.test(version)) return null;
  const subdir = textOf(json.subdir);
  const channel = textOf(json.channel)
    .split("/")
    .filter((part) => part !== "" && part !== subdir)
    .at(-1);
  const sha256 = textOf(json.sha256);
  return {
    name,
    version,
    build: textOf(json.build),
    channel: channel ?? "",
    subdir,
    license: spdxDeclared([textOf(json.license)]),
    sha256: /^[0-9a-f]{64}$/.test(sha256) ? sha256 : "",
    needs: listOf(json.depends).flatMap((need) => /^[\w.-]+/.exec(textOf(need))?.[0] ?? []),
    files: listOf(json.files).map(textOf),
  };
}

/** Records list each of their files, some with a hash: only those that are of interest are kept. */
function reduce(bytes: Buffer, { path, matters }: Reducing): Buffer | null {
  const json = objectOf(parseJson(bytes.toString("utf8")));
  const { name, version, build, channel, subdir, license, sha256, depends, files } = json;
  const prefix = folderOf(folderOf(path));
  const kept = listOf(files)
    .map(textOf)
    .filter((file) => matters(prefix === "" ? file : `${prefix}/${file}`));
  return Buffer.from(
    JSON.stringify({ name, version, build, channel, subdir, license, sha256, depends, files: kept }),
  );
}

const DOCUMENT: Interest = { limit: 64 << 20, beyond: "skip", reduce };

function packageOf(record: CondaRecord, path: ImagePath): Package | null {
  const { name, version, build, channel, subdir, license, sha256 } = record;
  const purl = purlOf("conda", { name, version, qualifiers: { build, channel, subdir } });
  if (purl === null) return null;
  return {
    purl,
    name,
    version,
    license,
    ...(sha256 && { sha256 }),
    paths: [`/${path}`],
    facts: { "syft:package:type": "conda" },
    needs: [],
  };
}

/** The packages in the conda environments of an image. */
function catalog(files: ImageFiles, about: About): Promise<Package[]> {
  const read = (path: ImagePath) => {
    const record = parseCondaRecord(files.read(path)?.toString("utf8") ?? "");
    const made = record && packageOf(record, path);
    return made && { package: made, name: made.name, place: folderOf(path), needs: record.needs };
  };
  const leftOut = "left out files that name no conda package and version";
  const paths = files.paths.filter((path) => RECORD.test(path));
  return describedPackages(paths, { what: "conda packages", read, leftOut }, about);
}

/** The files of interest that conda put there. */
async function owned(
  files: ImageFiles,
  packages: readonly Package[],
  pace: Pace,
): Promise<Map<ImagePath, string>> {
  const owners = new Map<ImagePath, string>();
  for (const { purl, paths } of packages) {
    const path = paths[0]?.slice(1) ?? "";
    const prefix = folderOf(folderOf(path));
    for (const file of parseCondaRecord(files.read(path)?.toString("utf8") ?? "")?.files ?? []) {
      const whole = cleanPath(`${prefix}/${file}`);
      if (whole !== null) owners.set(files.resolve(whole) ?? whole, purl);
    }
    if (pace.due()) await pace.rest("conda packages, their files", owners.size, null);
  }
  return owners;
}

export const conda: Cataloger = {
  wants: (path, base) => (base.endsWith(".json") && RECORD.test(path) ? DOCUMENT : null),
  shape: 1,
  catalog,
  owned,
};
