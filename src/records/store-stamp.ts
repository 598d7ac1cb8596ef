import { join } from "node:path";
import { stampAt } from "../files/read-regular.ts";
import { manifestFolders } from "./locate.ts";
import { placeOf } from "./place.ts";

/** A text that changes whenever a record is added to a workspace, or taken out. @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE */
export function recordsStamp(root: string): string {
  const base = placeOf(root)?.base;
  if (base === undefined) return "";
  return manifestFolders(base)
    .sort()
    .map((name) => `${name} ${stampAt(join(base, name)) ?? ""}`)
    .join("\n");
}
