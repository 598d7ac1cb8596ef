import type { Finding, Place } from "../errors.ts";

/** A manifest in a circle: its id, and the place where it names the next one. */
export interface InCircle {
  id: string;
  where: Place;
}

/** More manifests than this are not named one by one. */
const SHOWN = 10;

/**
 * The finding about manifests that start from each other's images: the same wherever the walk around began.
 * @param circle each starts from the next, and the last from the first
 */
export function circleFinding(circle: readonly InCircle[]): Finding {
  const ids = circle.map(({ id }) => id);
  const at = ids.reduce((least, id, index) => (id < (ids[least] ?? "") ? index : least), 0);
  const [first, ...rest] = [...circle.slice(at), ...circle.slice(0, at)];
  const names = rest.map(({ id }) => id);
  const between =
    names.length < SHOWN ? names : [...names.slice(0, SHOWN - 2), `… (${circle.length} manifests)`];
  const own = first?.id ?? "";
  return {
    code: "PARENT_CYCLE",
    what:
      circle.length === 1
        ? `the manifest ${own} starts from its own image`
        : `manifests start from each other's images in a circle: ${[own, ...between, own].join(" → ")}`,
    where: first?.where,
    fix: "let one of them start from an image, such as `base: debian:bookworm-slim`",
  };
}

/**
 * One finding for each circle among manifests. It does not recurse, so a chain may be of any length.
 * @param all by id: the manifest that it starts from, and where it says so; null if it starts from an image
 */
export function checkCircles(all: ReadonlyMap<string, { parent: string; where: Place } | null>): Finding[] {
  const done = new Set<string>();
  const findings: Finding[] = [];
  for (const start of all.keys()) {
    const path: InCircle[] = [];
    const places = new Map<string, number>();
    for (let id: string | undefined = start; id !== undefined && !done.has(id);) {
      const link = all.get(id);
      const from = places.get(id);
      if (from !== undefined) {
        findings.push(circleFinding(path.slice(from)));
        break;
      }
      places.set(id, path.length);
      if (link) path.push({ id, where: link.where });
      id = link?.parent;
    }
    for (const id of places.keys()) done.add(id);
  }
  return findings;
}
