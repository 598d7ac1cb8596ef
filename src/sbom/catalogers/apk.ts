import type { About, Cataloger, Interest } from "../cataloger.ts";
import { cpeOf } from "../cpe.ts";
import type { ImageFiles } from "../image-files.ts";
import type { Pace } from "../pace.ts";
import { needsOf, parseContact, purlOf, type OperatingSystem, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";

const DATABASES: readonly ImagePath[] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];
const DATABASE: Interest = { limit: 192 << 20, beyond: "fail" };

/** One package of apk's database: its fields by their one letter (apk-package(5)). */
export type ApkEntry = ReadonlyMap<string, string>;

/** The packages of apk's installed database. Lines about files are passed over; any text gives an answer. */
export function* parseApk(text: string): Generator<ApkEntry> {
  let current = new Map<string, string>();
  const complete = () => current.get("P") && current.get("V");
  for (let at = 0; at <= text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, text[end - 1] === "\r" && end > at ? end - 1 : end);
    at = end + 1;
    if (line === "") {
      if (complete()) yield current;
      current = new Map();
    }
    const [, key, value] = /^([A-Za-z]):(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && !"FRZMa".includes(key)) current.set(key, value);
  }
  if (complete()) yield current;
}

const names = (text: string | undefined) =>
  (text ?? "").split(/\s+/).flatMap((item) => (/^[^!<>=~\s][^<>=~\s]*/.exec(item) ?? []).slice(0, 1));

async function link(found: readonly { package: Package; entry: ApkEntry }[], pace: Pace): Promise<void> {
  const byName = new Map<string, string>();
  for (const one of found) for (const name of names(one.entry.get("p"))) byName.set(name, one.package.purl);
  for (const one of found) byName.set(one.package.name, one.package.purl);
  for (const [at, { package: own, entry }] of found.entries()) {
    const needs = names(entry.get("D")).flatMap((name) => byName.get(name) ?? []);
    own.needs = needsOf(own.purl, needs);
    if (pace.due()) await pace.rest("Alpine packages, what they need", at, found.length);
  }
}

function packageOf(entry: ApkEntry, path: ImagePath, os: OperatingSystem | null): Package | null {
  const [name = "", version = "", arch = ""] = ["P", "V", "A"].map((key) => entry.get(key));
  const source = entry.get("o") || name;
  const qualifiers = { arch, distro: os?.distro ?? "", upstream: source === name ? "" : source };
  const purl = purlOf("apk", { group: os?.id || "alpine", name, version, qualifiers });
  const checksum = entry.get("C");
  if (purl === null) return null;
  return {
    purl,
    cpe: cpeOf(source, version.replace(/-r\d+$/, "")),
    name,
    version,
    license: spdxDeclared([entry.get("L") ?? ""]),
    supplier: parseContact(entry.get("m") ?? ""),
    paths: [`/${path}`],
    facts: {
      arch,
      source,
      ...(checksum && { control_checksum: checksum }),
      ...(source !== name && {
        "syft:package:metadataType": "apk-db-entry",
        "syft:package:type": "apk",
        "syft:metadata:originPackage": source,
      }),
    },
    needs: [],
  };
}

/** The Alpine packages of an image. */
async function catalog(files: ImageFiles, { os, notes, pace }: About): Promise<Package[]> {
  const real = new Set(DATABASES.map((path) => files.resolve(path) ?? path));
  const found: { package: Package; entry: ApkEntry }[] = [];
  for (const path of real) {
    for (const entry of parseApk(files.read(path)?.toString("utf8") ?? "")) {
      const made = packageOf(entry, path, os);
      if (made) found.push({ package: made, entry });
      else notes.add("left out Alpine packages that can have no package URL", entry.get("P") ?? "");
      if (pace.due()) await pace.rest("Alpine packages read", found.length, null);
    }
  }
  await link(found, pace);
  return found.map((one) => one.package);
}

export const apk: Cataloger = {
  wants: (path, base) => (base === "installed" && DATABASES.includes(path) ? DATABASE : null),
  shape: 1,
  catalog,
};
