import type { Finding } from "../errors.ts";
import type { Fragment } from "../schemas/types.ts";
import type { Loaded } from "./document.ts";
import type { Scheme } from "./schemes/scheme.ts";
import { versionsIn } from "./versions.ts";

/** One version of a fragment, with what it requires. */
export interface Requirer {
  name: string;
  version: string;
  fragment: Loaded<Fragment>;
}

function label({ name, version }: Requirer): string {
  return `${name}@${version}`;
}

/** The versions that the requirements of each version allow. */
function graphOf(
  schemeOf: (fragment: string) => Scheme,
  all: readonly Requirer[],
): Map<Requirer, { field: string; to: Requirer }[]> {
  const byName = new Map<string, Requirer[]>();
  for (const one of all) byName.set(one.name, [...(byName.get(one.name) ?? []), one]);
  return new Map(
    all.map((one) => {
      const edges = Object.entries(one.fragment.sound.requires ?? {}).flatMap(([field, range]) => {
        const others = byName.get(field) ?? [];
        const allowed = new Set(
          range === undefined
            ? []
            : versionsIn(
                range,
                others.map(({ version }) => version),
                schemeOf(field),
              ),
        );
        return others.filter(({ version }) => allowed.has(version)).map((to) => ({ field, to }));
      });
      return [one, edges];
    }),
  );
}

/**
 * Cycles among the requirements of fragments, version by version: one finding for each requirement that closes a
 * cycle, found by a depth-first walk in the given order. It does not recurse, so a chain may be of any length.
 */
export function checkCycles(schemeOf: (fragment: string) => Scheme, all: readonly Requirer[]): Finding[] {
  const graph = graphOf(schemeOf, all);
  const done = new Set<Requirer>();
  const findings: Finding[] = [];
  for (const start of all) {
    const path: { at: Requirer; next: number }[] = done.has(start) ? [] : [{ at: start, next: 0 }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const edge = graph.get(top.at)?.[top.next];
      top.next += 1;
      if (!edge) {
        done.add(top.at);
        path.pop();
        continue;
      }
      const from = path.findIndex(({ at }) => at === edge.to);
      if (from >= 0)
        findings.push(cycle([...path.slice(from).map(({ at }) => at), edge.to], top.at, edge.field));
      else if (!done.has(edge.to)) path.push({ at: edge.to, next: 0 });
    }
  }
  return findings;
}

function cycle(path: readonly Requirer[], closing: Requirer, field: string): Finding {
  return {
    code: "REQUIRES_CYCLE",
    what: `fragments require each other in a cycle: ${path.map(label).join(" → ")}`,
    where: closing.fragment.place(["requires", field]),
    fix: "remove one of these requirements, or narrow its range",
  };
}
