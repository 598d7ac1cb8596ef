import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the chunks of the built program are; another folder, or nothing, where it runs from source. */
declare const __dirname: string | undefined;

/** What the build made of `browser/` and `site.css`: files of every site, by path from its root. */
export const ASSETS = ["site.js", "site.css", "icon.svg"] as const;

function folder(): string {
  return typeof __dirname === "string" && basename(__dirname) === "chunks"
    ? join(__dirname, "../site")
    : fileURLToPath(new URL("../../dist/site", import.meta.url));
}

/** The bytes of a file that every site has. */
export function readAsset(name: (typeof ASSETS)[number]): Buffer {
  return readFileSync(join(folder(), name));
}
