import { RETRIES } from "../model/retries.ts";
import type { Documents } from "../schemas/types.ts";
import type { Settings } from "./catalog.ts";

/** factory.yaml with every default filled in. */
export function settingsOf(document: Documents["workspace"]): Settings {
  const { repository = "factory", cache, bases = {}, smoke = {}, records, reuse, retries } = document;
  const { memory_mb = 512, pids = 256, timeout_s = 60 } = smoke;
  return {
    repository,
    cache_repository: cache?.repository ?? null,
    bases,
    smoke: { memory_mb, pids, timeout_s },
    max_age: reuse?.max_age ?? null,
    records_remote: records?.remote ?? null,
    retries: { ...RETRIES, ...retries },
  };
}
