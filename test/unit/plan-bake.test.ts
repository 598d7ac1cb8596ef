import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bakeFile,
  type BakeFile,
  bakeFiles,
  type BakeHeader,
  type BakeOptions,
} from "../../src/plan/formats/bake-files.ts";
import { annotationsIn } from "../../src/plan/formats/bake-annotations.ts";
import { bakeParts } from "../../src/plan/formats/bake-parts.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { prefixTargets } from "../../src/plan/prefix.ts";
import { hclBlock, CACHE, madeCell, madeGrid, PLACE, versions } from "./plan-made-cells.ts";

const OPTIONS: BakeOptions & { header: BakeHeader } = {
  header: { command: "factory plan grid --format bake" },
  dockerfile: ({ cell }) => `d/${cell.target}`,
  cache: { place: PLACE, writes: true },
  output: () => ["type=docker"],
};

/** Names of the blocks of a kind in a bake file. */
function namesIn(text: string, kind: string): string[] {
  return [...text.matchAll(new RegExp(`^${kind} "([^"]+)" \\{$`, "gm"))].map(([, name]) => name ?? "");
}

/** A file without its header. */
function plain<F extends BakeFile>(file: F): F {
  return { ...file, text: file.text.slice(file.text.indexOf("\n\n") + 2) };
}

/** How many targets cells come to, counted plainly. */
function targetsOf(cells: readonly PlannedCell[]): number {
  return cells.length + prefixTargets(cells, null).length;
}

const shape = fc.record({
  a: fc.integer({ min: 1, max: 3 }),
  b: fc.integer({ min: 1, max: 5 }),
  c: fc.integer({ min: 1, max: 7 }),
  platforms: fc.subarray(["linux/amd64", "linux/arm64", "linux/arm/v7"], { minLength: 1 }),
});

/** A cell's printed form would ask for its Dockerfile: properties get shapes. */
function gridOf({
  a,
  b,
  c,
  platforms,
}: {
  a: number;
  b: number;
  c: number;
  platforms: string[];
}): PlannedCell[] {
  return madeGrid({ a: versions(a), b: versions(b), c: versions(c) }, platforms);
}

describe("bakeFile", () => {
  it("says in annotations what labels say in OCI's words; of the index only where it is told that there is one", () => {
    const labels = {
      "org.opencontainers.image.title": 'a, "b" = ${c}',
      "org.opencontainers.image.base.digest": "",
      "io.factory.recipe-key": "sha256:1",
    };
    const cells = [madeCell({ fragments: { core: "0.1.0" }, labels })];
    const told = (what: string) =>
      `  annotations = [\n    "${what}:org.opencontainers.image.title=a, \\"b\\" = $$\{c}",\n    "${what}:org.opencontainers.image.base.name=debian:bookworm-slim",\n  ]\n`;
    expect(bakeFile(cells, OPTIONS).text).toContain(told("manifest"));
    const both = bakeFile(cells, { ...OPTIONS, annotates: "manifest,index" });
    expect(both.text).toContain(told("manifest,index"));
  });

  it("says its annotations so that they are read back as they were", () => {
    const value = fc.string({
      unit: fc.constantFrom("a", "$", "%", "{", "}", '"', "\\", "]", ",", "=", "\n", "é"),
      minLength: 1,
    });
    fc.assert(
      fc.property(
        value,
        value,
        fc.constantFrom("manifest" as const, "manifest,index" as const),
        (title, text, annotates) => {
          const labels = {
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.description": text,
            other: text,
          };
          const cells = [madeCell({ fragments: { core: "0.1.0" }, labels })];
          expect(annotationsIn(bakeFile(cells, { ...OPTIONS, annotates }).text)).toEqual({
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.description": text,
            "org.opencontainers.image.base.name": "debian:bookworm-slim",
          });
        },
      ),
    );
    expect(annotationsIn('target "x" {\n  tags = ["a"]\n}\n')).toEqual({});
  });

  it("writes cells, the prefixes that they share, and groups of both", () => {
    const cells = madeGrid({ core: ["0.1.0"], app: ["1.0.0", "2.0.0"] });
    const { text, targets, prefixes, groups } = bakeFile(cells, OPTIONS);
    expect(targets).toEqual(cells.map(({ cell }) => cell.target));
    expect(prefixes).toHaveLength(1);
    expect(groups).toEqual(["default", "prefixes", "prefix-core"]);
    expect(namesIn(text, "target")).toEqual([...prefixes, ...targets]);
    expect(namesIn(text, "group")).toEqual(groups);
    const [id] = cells[0]?.keys.prefixes ?? [];
    expect(text.slice(text.indexOf(`target "${targets[1]}"`)))
      .toBe(`target "demo_core-0_1_0_app-2_0_0_linux-amd64" {
  context = "."
  dockerfile = "d/demo_core-0_1_0_app-2_0_0_linux-amd64"
  platforms = ["linux/amd64"]
  tags = ["registry.example/team/demo:core-0.1.0.app-2.0.0.linux-amd64"]
  labels = {
    "org.opencontainers.image.title" = "demo"
    "org.opencontainers.image.base.name" = "debian:bookworm-slim"
    "io.factory.manifest-id" = "demo"
    "io.factory.template" = "plain@0.1.0"
    "io.factory.fragments" = "core@0.1.0,app@2.0.0"
    "io.factory.build-key" = "${cells[1]?.cell.build_key}"
  }
  annotations = [
    "manifest:org.opencontainers.image.title=demo",
    "manifest:org.opencontainers.image.base.name=debian:bookworm-slim",
  ]
  cache-from = [
    "type=registry,ref=${CACHE}:app-2.0.0-${cells[1]?.keys.prefixes[1]?.id}-linux-amd64",
    "type=registry,ref=${CACHE}:core-0.1.0-${id?.id}-linux-amd64",
  ]
  cache-to = ["type=registry,ref=${CACHE}:app-2.0.0-${cells[1]?.keys.prefixes[1]?.id}-linux-amd64,mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true"]
  attest = ["type=provenance,mode=max"]
  output = ["type=docker"]
}
`);
  });

  it("does not take the label of one cell for another's", () => {
    const cells = ["one", "two", "one"].map((title, at) =>
      madeCell({ fragments: { core: `0.${at}.0` }, labels: { a: title, b: "one" } }),
    );
    const { text } = bakeFile(cells, OPTIONS);
    expect([...text.matchAll(/"(a|b)" = "(\w+)"/g)].map(([, key, value]) => `${key} ${value}`)).toEqual([
      ...["a one", "b one"],
      ...["a two", "b one"],
      ...["a one", "b one"],
    ]);
  });

  it("leaves out what is empty, but not the targets of a group, which bake asks for", () => {
    expect(bakeFile([], OPTIONS).text).toBe('group "default" {\n  targets = []\n}\n');
    expect(hclBlock("target", "x", { tags: [], labels: {}, dockerfile: "" })).toBe(
      'target "x" {\n  dockerfile = ""\n}\n',
    );
  });

  it("writes texts that HCL reads back as they were, in NFC", () => {
    const special = fc.constantFrom(
      ...'"\\$%{}\n\r\t\b\f\u0000\u007f\u0085\u2028é',
      "e\u0301",
      "${",
      "%{",
      "$${",
    );
    const text = fc.oneof(
      fc.array(fc.oneof(special, fc.string({ maxLength: 3 })), { maxLength: 8 }).map((all) => all.join("")),
      fc.string({ unit: "binary" }).filter((all) => !/\p{Surrogate}/u.test(all)),
    );
    fc.assert(
      fc.property(text, (one) => {
        const block = hclBlock("target", "x", { a: one, b: [one], c: [one, "y"], d: { [`k${one}`]: one } });
        const literals = [...block.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, literal = ""]) => {
          expect(literal.replace(/\$\$\{|%%\{/g, " ")).not.toMatch(/[$%]\{|[\n\u007f-\u009f\u2028\u2029]/);
          return (JSON.parse(`"${literal}"`) as string).replace(/([$%])\1\{/g, "$1{");
        });
        const nfc = one.normalize("NFC");
        expect(literals).toEqual(["x", nfc, nfc, nfc, "y", `k${one}`.normalize("NFC"), nfc]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("bakeFiles", () => {
  it("is one file where that holds all", () => {
    const cells = madeGrid({ core: versions(4), app: versions(100) });
    expect([...bakeFiles(cells, OPTIONS)].map(plain)).toEqual([
      { name: "docker-bake.hcl", ...bakeFile(cells, OPTIONS) },
    ]);
    expect([...bakeFiles([], OPTIONS)].map(plain)).toEqual([
      { name: "docker-bake.hcl", ...bakeFile([], OPTIONS) },
    ]);
  });

  it("says in each file who made it, how to use it, and what its groups are", () => {
    const cells = madeGrid({ core: ["0.1.0"], app: ["1.0.0", "2.0.0"] });
    const header = (one: readonly PlannedCell[], options = OPTIONS) =>
      [...bakeFiles(one, options)].map(({ text }) => text.slice(0, text.indexOf("\n\n")));
    expect(header(cells)).toEqual([
      `# Made by \`factory plan grid --format bake\`, together with the Dockerfiles that it names. To change it, change the plan and make it again.
# Use it in the folder of factory.yaml:
#   docker buildx bake -f THIS_FILE    builds the group "default": 2 cells
#   docker buildx bake -f THIS_FILE prefixes    fills the cache refs that cells read; do this first, so that every builder has what cells share
# The group "prefixes" has 1 target; those that end in one fragment are also a group: prefix-core.`,
    ]);
    expect(header(cells, { ...OPTIONS, cache: null })[0]).not.toContain("fills the cache refs");
    expect(header(cells.slice(0, 0))[0]).not.toContain("prefixes");
    const many = madeGrid({ core: versions(300), app: ["0.1.0"] });
    expect(header(many).every((text) => text.startsWith("# Made by"))).toBe(true);
    expect(header(many)).toHaveLength(2);
  });

  it("has all prefixes in one group, and no such group where there are none", () => {
    fc.assert(
      fc.property(shape, (one) => {
        const cells = gridOf(one);
        const { text, prefixes, groups } = bakeFile(cells, OPTIONS);
        const group = /^group "prefixes" \{\n {2}targets = \[([^\]]*)\]/m.exec(text)?.[1] ?? "";
        expect([...group.matchAll(/"([^"]+)"/g)].map(([, name]) => name)).toEqual(prefixes);
        expect(groups.includes("prefixes")).toBe(prefixes.length > 0);
      }),
    );
  });

  it("is several of at most 500 targets, each with all that its cells need", () => {
    const cells = madeGrid({ security: versions(2), core: versions(5), app: versions(40) }, [
      "linux/amd64",
      "linux/arm64",
    ]);
    const files = [...bakeFiles(cells, OPTIONS)];
    expect(files.map(({ name }) => name)).toEqual(["docker-bake-001.hcl", "docker-bake-002.hcl"]);
    expect(files.flatMap(({ targets }) => targets)).toEqual(cells.map(({ cell }) => cell.target));
    for (const { text, targets, prefixes } of files) {
      const names = namesIn(text, "target");
      expect(names).toEqual([...prefixes, ...targets]);
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeLessThanOrEqual(500);
      const own = cells.filter(({ cell }) => targets.includes(cell.target));
      expect(prefixes).toEqual(prefixTargets(own, null).map(({ target }) => target));
    }
  });

  it("counts prefixes as targets", () => {
    const cells = madeGrid({ core: versions(250), app: ["0.1.0"] });
    expect([...bakeFiles(cells, OPTIONS)]).toHaveLength(1);
    expect([...bakeFiles([...cells, madeCell({ fragments: { core: "9.0.0" } })], OPTIONS)]).toHaveLength(2);
  });
});

describe("bakeParts", () => {
  it("has every cell once, in order, in parts that are full enough and not too full", () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 3, max: 40 }), (one, limit) => {
        const cells = gridOf(one);
        const parts = bakeParts(cells, limit);
        expect(parts.flat()).toEqual(cells);
        for (const [at, part] of parts.entries()) {
          // A cell and its two prefixes always fit.
          expect(targetsOf(part)).toBeLessThanOrEqual(limit);
          const next = parts[at + 1];
          if (next) expect(targetsOf([...part, ...next])).toBeGreaterThan(limit);
        }
      }),
    );
  });

  it("keeps together what shares a prefix and fits", () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 3, max: 40 }), (one, limit) => {
        const cells = gridOf(one);
        const parts = bakeParts(cells, limit);
        for (const level of [0, 1]) {
          const families = new Map<string | undefined, PlannedCell[]>();
          for (const one of cells) {
            const id = one.keys.prefixes[level]?.id;
            families.set(id, [...(families.get(id) ?? []), one]);
          }
          for (const family of families.values()) {
            const torn = parts.filter((part) => family.some((one) => part.includes(one))).length > 1;
            if (torn) expect(targetsOf(family)).toBeGreaterThan(limit);
          }
        }
      }),
    );
  });

  it("puts a cell that alone is too large into a part of its own", () => {
    const fragments = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, "0.1.0"]));
    const large = madeCell({ fragments });
    const small = madeCell({ fragments: { z: "0.1.0" } });
    expect(bakeParts([large, small], 5).map((part) => part.length)).toEqual([1, 1]);
  });
});

describe("prefixTargets", () => {
  it("has each prefix once a platform, at the first cell that has it", () => {
    fc.assert(
      fc.property(shape, (one) => {
        const cells = gridOf(one);
        const expected = new Map<string, PlannedCell>();
        for (const one of cells) {
          for (const { fragment, version, id } of one.keys.prefixes.slice(0, -1)) {
            const name = `${fragment}-${version}-${id}-${one.cell.platform}`.replace(/[./]/g, (c) =>
              c === "." ? "_" : "-",
            );
            if (!expected.has(name)) expected.set(name, one);
          }
        }
        const targets = prefixTargets(cells, OPTIONS.cache);
        expect(targets.map(({ target, cell }) => [target, cell])).toEqual([...expected]);
        for (const { cache_from, cache_to, cell, fragment } of targets) {
          const all = cell.cell.cache_from;
          expect(cache_from).toEqual(all.slice(all.findIndex((ref) => ref.includes(`:${fragment}-`))));
          expect(cache_to[0]?.startsWith(`${cache_from[0]},mode=max`)).toBe(true);
        }
      }),
    );
  });
});
