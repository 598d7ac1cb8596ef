import type { Scheme } from "../catalog/schemes/scheme.ts";
import { versionsIn } from "../catalog/versions.ts";
import type { LatestVersions, VersionAxis } from "../schemas/types.ts";

/** A version axis in one line: `>=0.1 <1`, `latest: 3`, `latest-minor: 2 of >=0.1`. */
export function axisText(axis: Exclude<VersionAxis, string[]>): string {
  if (typeof axis === "string") return axis;
  const { latest, "latest-minor": latestMinor, range } = axis;
  const parts = [
    ...(latest === undefined ? [] : [`latest: ${latest}`]),
    ...(latestMinor === undefined ? [] : [`latest-minor: ${latestMinor}`]),
  ];
  return `${parts.join(", ")}${range === undefined ? "" : `${parts.length > 0 ? " of " : ""}${range}`}`;
}

/**
 * The existing versions that an axis means: `latest` and `latest-minor` count only releases, unless the range itself
 * names pre-releases. An explicit list keeps its order, which matters if it is zipped.
 * @param versions sorted by their scheme, lowest first
 */
export function versionsOfAxis(axis: VersionAxis, versions: readonly string[], scheme: Scheme): string[] {
  if (Array.isArray(axis)) return axis;
  if (typeof axis === "string") return versionsIn(axis, versions, scheme);
  const { latest, "latest-minor": latestMinor, range }: LatestVersions = axis;
  let chosen = range === undefined ? versions.filter(scheme.isRelease) : versionsIn(range, versions, scheme);
  if (latestMinor !== undefined) {
    const highest = new Map<string, string>();
    for (const version of chosen) highest.set(scheme.minorOf?.(version) ?? version, version);
    chosen = [...highest.values()].slice(-latestMinor);
  }
  return latest === undefined ? chosen : chosen.slice(-latest);
}
