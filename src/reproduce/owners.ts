import { posix } from "node:path";
import type { PackageChange } from "./packages.ts";

/*
 * Which files belong to packages whose versions differ, by what package managers write down: dpkg's lists, apk's database, and
 * the RECORD of Python's packages. npm's are known by their folder.
 */

const DPKG_LIST = /^var\/lib\/dpkg\/info\/([^/:]+)(?::[^/:]+)?\.([a-z0-9]+)$/;
const APK_DATABASE = "lib/apk/db/installed";
const PYTHON_RECORD = /^(.*\/)?([^/]+)-[^/-]+\.dist-info\/RECORD$/;
const NODE_MODULE = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** Folders that are links to those of the same names below /usr. */
const MERGED = /^(bin|sbin|lib|lib32|lib64|libx32)\//;

/** What package managers write whenever they change anything. It follows from what they changed. */
const BOOKKEEPING =
  /^(var\/lib\/(dpkg|apt|pam|ucf|systemd\/deb-)|var\/cache\/(apt|debconf|ldconfig|man)|var\/log\/(apt|dpkg\.log|alternatives\.log|bootstrap\.log|apk\.log)|lib\/apk\/db|etc\/apk\/world|etc\/ld\.so\.cache$|usr\/lib\/sysimage)/;

export interface Owners {
  /** Whether the bytes of a file are needed to know. */
  wants: (path: string) => boolean;
  /** Takes files that were wanted. */
  take: (kept: ReadonlyMap<string, Buffer>) => void;
  /** The package that differs and that a path belongs to; undefined for any other path. @param path absolute */
  of: (path: string) => PackageChange | undefined;
}

/** One spelling of the names that Python takes for the same (PEP 503). */
const pythonName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** Where a compiled file of Python has its source; the path itself for any other file. */
function sourceOf(path: string): string {
  const [, folder = "", name = ""] = /^(.*)__pycache__\/([^/]+?)\.[^/]*pyc$/.exec(path) ?? [];
  return name === "" ? path : `${folder}${name}.py`;
}

/** Whether a path is one of those that a package manager writes for itself. @param path absolute */
export function isBookkeeping(path: string): boolean {
  return BOOKKEEPING.test(path.replace(/^\//, "").replace(/^((?:.*\/)?)\.wh\./, "$1"));
}

/** @param changed packages whose versions differ */
export function createOwners(changed: readonly PackageChange[]): Owners {
  const named = (type: string, name: string) =>
    changed.find((one) => one.type === type && (type === "pypi" ? pythonName(one.name) : one.name) === name);
  const owners = new Map<string, PackageChange>();
  const add = (path: string, owner: PackageChange): void => {
    owners.set(posix.normalize(path), owner);
    // Where /lib is a link to /usr/lib, dpkg goes on saying /lib.
    if (MERGED.test(path)) owners.set(posix.normalize(`usr/${path}`), owner);
  };

  const takeApk = (text: string): void => {
    let owner: PackageChange | undefined;
    let folder = "";
    for (const line of text.split("\n")) {
      const value = line.slice(2);
      if (line.startsWith("P:")) owner = named("apk", value);
      else if (line.startsWith("F:")) folder = value;
      else if (line.startsWith("R:") && owner) add(`${folder}/${value}`, owner);
    }
  };

  return {
    wants: (path) => {
      const [, deb, kind] = DPKG_LIST.exec(path) ?? [];
      if (deb !== undefined) return kind === "list" && named("deb", deb) !== undefined;
      if (path === APK_DATABASE) return changed.some(({ type }) => type === "apk");
      const [, , python] = PYTHON_RECORD.exec(path) ?? [];
      return python !== undefined && named("pypi", pythonName(python)) !== undefined;
    },
    take: (kept) => {
      for (const [path, bytes] of kept) {
        const text = bytes.toString("utf8");
        const [, deb = ""] = DPKG_LIST.exec(path) ?? [];
        const [, folder = "", python = ""] = PYTHON_RECORD.exec(path) ?? [];
        const debian = named("deb", deb);
        const owner = named("pypi", pythonName(python));
        if (path === APK_DATABASE) takeApk(text);
        else if (debian) for (const line of text.split("\n")) add(line.slice(1), debian);
        else if (owner)
          for (const line of text.split("\n")) {
            const [, quoted, plain = ""] = /^(?:"([^"]*)"|([^,]*)),/.exec(line) ?? [];
            add(`${folder}${quoted ?? plain}`, owner);
          }
      }
    },
    of: (absolute) => {
      const path = sourceOf(absolute.replace(/^\//, "").replace(/^((?:.*\/)?)\.wh\./, "$1"));
      const [, deb] = DPKG_LIST.exec(path) ?? [];
      const own = deb === undefined ? owners.get(path) : named("deb", deb);
      if (own) return own;
      const [, npm] = NODE_MODULE.exec(path) ?? [];
      if (npm !== undefined) return named("npm", npm);
      const [, , python] = PYTHON_RECORD.exec(path.replace(/(\.dist-info)\/.*$/, "$1/RECORD")) ?? [];
      return python === undefined ? undefined : named("pypi", pythonName(python));
    },
  };
}
