import { FIXED_PATHS } from "./interest.ts";
import type { ImageFiles } from "./merge.ts";
import { parseContact, purlOf, type Catalogue, type OperatingSystem, type Package } from "./package.ts";

/** One package of apk's database: its fields by their one letter (apk-package(5)). */
export type ApkEntry = ReadonlyMap<string, string>;

/** The packages of apk's installed database. Lines about files are passed over; any text gives an answer. */
export function parseApk(text: string): ApkEntry[] {
  const entries: ApkEntry[] = [];
  let current = new Map<string, string>();
  const end = () => {
    if (current.get("P") && current.get("V")) entries.push(current);
    current = new Map();
  };
  for (const raw of text.split("\n")) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "") end();
    const [, key, value] = /^([A-Za-z]):(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !"FRZMa".includes(key)) current.set(key, value);
  }
  end();
  return entries;
}

const names = (text: string | undefined) =>
  (text ?? "").split(/\s+/).flatMap((item) => (/^[^!<>=~\s][^<>=~\s]*/.exec(item) ?? []).slice(0, 1));

function link(found: readonly { package: Package; entry: ApkEntry }[]): void {
  const byName = new Map<string, string>();
  for (const one of found) for (const name of names(one.entry.get("p"))) byName.set(name, one.package.purl);
  for (const one of found) byName.set(one.package.name, one.package.purl);
  for (const { package: own, entry } of found) {
    own.needs = names(entry.get("D")).flatMap((name) => {
      const purl = byName.get(name);
      return purl === undefined || purl === own.purl ? [] : [purl];
    });
  }
}

function packageOf(entry: ApkEntry, path: string, os: OperatingSystem | null): Package | null {
  const [name = "", version = "", arch = ""] = ["P", "V", "A"].map((key) => entry.get(key));
  const qualifiers = { arch, distro: os?.distro ?? "" };
  const purl = purlOf("apk", { group: os?.id || "alpine", name, version, qualifiers });
  const license = entry.get("L") ?? "";
  const source = entry.get("o") ?? name;
  const checksum = entry.get("C");
  if (purl === null) return null;
  return {
    ecosystem: "apk",
    purl,
    name,
    version,
    licenses: license === "" ? [] : [license],
    supplier: parseContact(entry.get("m") ?? ""),
    paths: [`/${path}`],
    facts: { arch, source, ...(checksum && { control_checksum: checksum }) },
    needs: [],
  };
}

/** The Alpine packages of an image. */
export function catalogApk(files: ImageFiles, os: OperatingSystem | null): Catalogue {
  const warnings: string[] = [];
  const real = new Set(FIXED_PATHS.apk.map((path) => files.resolve(path) ?? path));
  const found = [...real].flatMap((path) =>
    parseApk(files.read(path)?.toString("utf8") ?? "").flatMap((entry) => {
      const made = packageOf(entry, path, os);
      if (made) return [{ package: made, entry }];
      warnings.push(`left out the Alpine package ${entry.get("P")}: it has no package URL`);
      return [];
    }),
  );
  link(found);
  return { packages: found.map((one) => one.package), warnings };
}
