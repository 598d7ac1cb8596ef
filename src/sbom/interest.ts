import { baseOf, type ImagePath } from "./paths.ts";

/** How much of a file is kept, and what happens to a larger one. */
export interface Interest {
  /** bytes */
  limit: number;
  /** `fail`: the inventory would be wrong without it. `skip`: left out, with a warning. `cut`: its head says all. */
  beyond: "fail" | "skip" | "cut";
}

const DATABASE: Interest = { limit: 64 << 20, beyond: "fail" };
const RELEASE: Interest = { limit: 64 << 10, beyond: "fail" };
const DOCUMENT: Interest = { limit: 1 << 20, beyond: "skip" };
const LOCK: Interest = { limit: 16 << 20, beyond: "skip" };
const HEAD: Interest = { limit: 256 << 10, beyond: "cut" };

const DPKG_PART = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;
const COPYRIGHT = /^usr\/share\/doc\/[^/]+\/copyright$/;
const NPM_PACKAGE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
const NPM_LOCK = /(?:^|\/)node_modules\/\.package-lock\.json$/;
const WHEEL = /\.dist-info\/METADATA$/;
const EGG = /\.egg-info(?:\/PKG-INFO)?$/;

export const isDpkgPart = (path: ImagePath) => DPKG_PART.test(path) && !path.endsWith(".md5sums");
export const isNpmPackage = (path: ImagePath) => NPM_PACKAGE.test(path);
export const isNpmLock = (path: ImagePath) => NPM_LOCK.test(path);
export const isPythonMetadata = (path: ImagePath) => WHEEL.test(path) || EGG.test(path);

/** Where package databases lie, and the files that name the operating system. Some are reached through symlinks. */
export const FIXED_PATHS = {
  dpkg: "var/lib/dpkg/status",
  apk: ["lib/apk/db/installed", "usr/lib/apk/db/installed"],
  release: ["etc/os-release", "usr/lib/os-release"],
} as const;

const FIXED: ReadonlyMap<string, Interest> = new Map<string, Interest>([
  [FIXED_PATHS.dpkg, DATABASE],
  ...FIXED_PATHS.apk.map((path) => [path, DATABASE] as const),
  ...FIXED_PATHS.release.map((path) => [path, RELEASE] as const),
]);

/** What is kept of the file at a path; null where the inventory has no use for it. */
export function interestIn(path: ImagePath): Interest | null {
  const fixed = FIXED.get(path);
  if (fixed) return fixed;
  switch (baseOf(path)) {
    case "copyright":
      return COPYRIGHT.test(path) ? DOCUMENT : null;
    case "package.json":
      return isNpmPackage(path) ? DOCUMENT : null;
    case ".package-lock.json":
      return isNpmLock(path) ? LOCK : null;
  }
  if (isPythonMetadata(path)) return HEAD;
  return isDpkgPart(path) ? DOCUMENT : null;
}

/** What is kept of a file that a hard link or a symlink of an interesting name leads to. */
export const LINKED: Interest = DATABASE;
