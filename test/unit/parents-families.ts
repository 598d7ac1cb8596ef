import fc from "fast-check";
import type { OpenCatalog } from "../../src/catalog/open.ts";
import { FactoryError } from "../../src/errors.ts";
import type { Manifest } from "../../src/model/manifest.ts";

/** A manifest of a made-up family: what it writes into its image, and what it tests. */
export interface Member {
  parent: string | null;
  word: string;
  test: string;
}

export type Family = Readonly<Record<string, Member>>;

/** A catalog of manifests that are in no file, in the given order. */
export function catalogOf(under: OpenCatalog, family: Family): OpenCatalog {
  const entries = new Map(
    Object.entries(family).map(([id, { parent, word, test }]) => {
      const file = `manifests/${id}.yaml`;
      const document: Manifest = {
        schema_version: 1,
        manifest_id: id,
        template: "line@0.1.0",
        base: parent === null ? `debian@sha256:${"d".repeat(64)}` : { manifest: parent },
        fragments: { word: "0.1.0" },
        args: { word },
        smoke: [{ id: test, command: { argv: ["true"] } }],
      };
      return [id, { document, file, place: () => ({ file }) }] as const;
    }),
  );
  return {
    ...under,
    manifestIds: () => [...entries.keys()],
    planIds: () => [],
    manifest: (id) => {
      const entry = entries.get(id);
      if (!entry) throw new FactoryError("UNKNOWN_MANIFEST", id);
      return entry;
    },
  };
}

/** The manifest itself and all above it. */
export function lineOf(family: Family, id: string): string[] {
  const line: string[] = [];
  for (let at: string | null = id; at !== null; at = family[at]?.parent ?? null) line.push(at);
  return line;
}

/** Families in which names say nothing of who starts from whom. */
export const families = fc
  .array(fc.nat(), { minLength: 1, maxLength: 12 })
  .chain((picks) =>
    fc.tuple(
      fc.constant(picks),
      fc.shuffledSubarray(
        picks.map((_, at) => `m${at}`),
        { minLength: picks.length, maxLength: picks.length },
      ),
    ),
  )
  .map(([picks, names]): Family => {
    const members = picks.map((pick, at): [string, Member] => {
      const to = pick % (at + 2);
      const parent = to >= at ? null : (names[to] ?? null);
      return [names[at] ?? "", { parent, word: `w-${names[at]}`, test: "t" }];
    });
    return Object.fromEntries(members);
  });
