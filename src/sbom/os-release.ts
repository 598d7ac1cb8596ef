import { FIXED_PATHS } from "./interest.ts";
import type { ImageFiles } from "./merge.ts";
import type { OperatingSystem } from "./package.ts";

const LINE = /^([A-Z][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*))$/;

/** The variables of an os-release file (os-release(5)). Lines that are no assignment are passed over. */
export function parseOsRelease(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, double, single, bare] = LINE.exec(line.trim()) ?? [];
    if (name !== undefined)
      variables.set(name, double?.replace(/\\(.)/g, "$1") ?? single ?? bare?.trim() ?? "");
  }
  return variables;
}

/** The operating system of an image. */
export function readOperatingSystem(files: ImageFiles): OperatingSystem | null {
  for (const path of FIXED_PATHS.release) {
    const bytes = files.read(path);
    if (!bytes) continue;
    const variables = parseOsRelease(bytes.toString("utf8"));
    const id = variables.get("ID") ?? "";
    if (id === "") continue;
    const version = variables.get("VERSION_ID") ?? variables.get("VERSION_CODENAME") ?? "";
    const title = variables.get("PRETTY_NAME") ?? variables.get("NAME") ?? id;
    return { id, version, title, distro: version === "" ? "" : `${id}-${version}` };
  }
  return null;
}
