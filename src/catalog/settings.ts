import type { CachePlace } from "../model/cache-place.ts";
import { RETRIES } from "../model/retries.ts";
import type { Documents } from "../schemas/types.ts";
import { KEYLESS, type SigningSettings } from "../model/signing.ts";
import type { Settings } from "./catalog.ts";

type Cache = NonNullable<Documents["workspace"]["cache"]>;
type Signing = NonNullable<Documents["workspace"]["signing"]>;

/** A checked place: what its type needs is there. */
function cachePlace({
  type = "registry",
  repository = "",
  bucket = "",
  region = "",
  ...more
}: Cache): CachePlace {
  const { prefix = "", endpoint_url = null, use_path_style = false, folder = ".factory/cache" } = more;
  if (type === "registry") return { type, repository };
  if (type === "gha") return { type };
  if (type === "local") return { type, folder };
  const end = prefix === "" || prefix.endsWith("/") ? "" : "/";
  return { type, bucket, region, prefix: `${prefix}${end}`, endpoint_url, use_path_style };
}

/** How images are signed. What the identity of a CI job signs is only proven by the log that it stands in. */
function signingOf({ key, transparency_log = key === KEYLESS }: Signing): SigningSettings {
  return { key, transparencyLog: transparency_log };
}

/** factory.yaml with every default filled in. */
export function settingsOf(document: Documents["workspace"]): Settings {
  const {
    repository = "factory",
    cache,
    bases = {},
    smoke = {},
    records,
    reuse,
    retries,
    signing,
  } = document;
  const { memory_mb = 512, pids = 256, timeout_s = 60 } = smoke;
  return {
    repository,
    cache: cache ? { place: cachePlace(cache), write: cache.write ?? "always" } : null,
    bases,
    smoke: { memory_mb, pids, timeout_s },
    max_age: reuse?.max_age ?? null,
    records_remote: records?.remote ?? null,
    signing: signing ? signingOf(signing) : null,
    retries: { ...RETRIES, ...retries },
  };
}
