import { posix } from "node:path";
import type { Finding } from "../errors.ts";
import type { CachePlace } from "../model/cache-place.ts";
import { quoted } from "../model/visible.ts";
import type { Workspace } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import { leadsOut } from "./library-rules.ts";
import type { Sound } from "./sound.ts";

type Cache = NonNullable<Sound<Workspace>["cache"]>;
type Field = Exclude<keyof Cache, "type" | "write">;

/** What each type of cache has to say, and what it may say. */
const FIELDS: Record<CachePlace["type"], { needs: readonly Field[]; may: readonly Field[] }> = {
  registry: { needs: ["repository"], may: [] },
  gha: { needs: [], may: [] },
  s3: { needs: ["bucket", "region"], may: ["prefix", "endpoint_url", "use_path_style"] },
  local: { needs: [], may: ["folder"] },
};

/** Rules of the build cache: each type has fields of its own, and a folder is one in the workspace. */
export function checkCache(cache: Sound<Workspace>["cache"], place: PlaceOf): Finding[] {
  if (!cache) return [];
  const { type = "registry", folder } = cache;
  const { needs, may } = FIELDS[type];
  const known: readonly string[] = ["type", "write", ...needs, ...may];
  const findings = needs
    .filter((field) => cache[field] === undefined)
    .map((field): Finding => ({
      code: "SCHEMA_MISSING_FIELD",
      what: `the field \`${field}\` is missing, which a cache of the type ${type} needs`,
      where: place(["cache"]),
      fix:
        type === "registry"
          ? `add \`${field}:\`, or say what else it is with \`type:\``
          : `add \`${field}:\``,
    }));
  for (const field of Object.keys(cache).filter((name) => !known.includes(name)))
    findings.push({
      code: "SCHEMA_UNKNOWN_FIELD",
      what: `a cache of the type ${type} has no field \`${field}\``,
      where: place(["cache", field]),
      fix: "remove it, or correct `type:`",
    });
  if (folder !== undefined && (leadsOut(folder) || posix.normalize(folder) !== folder || folder === "."))
    findings.push({
      code: "FILE_OUTSIDE",
      what: `the cache is at ${quoted(folder)}, which is no folder below the workspace`,
      where: place(["cache", "folder"]),
      fix: "write a path from the workspace's root, without `.` and `..`, such as .factory/cache",
    });
  return findings;
}
