import { hclBlock } from "../unit/plan-made-cells.ts";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { bakeFile } from "../../src/plan/formats/bake-files.ts";
import { expand } from "../../src/plan/expand.ts";
import { prefixTargets } from "../../src/plan/prefix.ts";
import {
  copyReference,
  factory,
  type Files,
  makeWorkspace,
  SMALL,
  temporaryFolder,
  writeFiles,
} from "../unit/workspace.ts";
import { describeEngine } from "./engine.ts";

interface Printed {
  group: Record<string, { targets: string[] }>;
  target: Record<
    string,
    {
      context: string;
      dockerfile: string;
      target?: string;
      tags?: string[];
      labels?: Record<string, string>;
      platforms?: string[];
      "cache-from"?: Record<string, string>[];
      "cache-to"?: Record<string, string>[];
      output?: Record<string, string>[];
      attest?: Record<string, string>[];
    }
  >;
}

/** What bake makes of a file, after all that it evaluates. */
function print(root: string, text: string, targets: string[] = []): Printed {
  writeFiles(root, { "docker-bake.hcl": text });
  const argv = ["buildx", "bake", "--file", "docker-bake.hcl", "--print", ...targets];
  const printed = execFileSync("docker", argv, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Bake evaluates JSON too, so it prints the `${` and `%{` of values doubled; a real image's labels have them once.
  return JSON.parse(printed, (_, value: unknown) =>
    typeof value === "string" ? value.replace(/([$%])\1\{/g, "$1{") : value,
  ) as Printed;
}

/** `a=b,c=d` as bake prints it. */
function fields(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
}

/** Holds a plan's bake file to the plan. */
function expectPrinted(root: string, request: { planId: string } | { manifestId: string }): void {
  const catalog = openCatalog(root);
  const { cells } = expand(catalog, request, { today: "2026-01-01" });
  const { place } = catalog.settings().cache ?? {};
  const cache = place ? { place, writes: true } : null;
  const file = bakeFile(cells, {
    dockerfile: ({ cell }) => `d/${cell.target}`,
    cache,
    output: () => ["type=docker"],
  });

  const whole = print(root, file.text);
  expect(Object.keys(whole.group)).toEqual(["default"]);
  expect(whole.group.default?.targets).toEqual(cells.map(({ cell }) => cell.target).sort());
  expect(Object.keys(whole.target).sort()).toEqual(cells.map(({ cell }) => cell.target).sort());
  for (const { cell, labels } of cells) {
    expect(whole.target[cell.target]).toEqual({
      context: ".",
      dockerfile: `d/${cell.target}`,
      labels,
      annotations: Object.entries(labels)
        .filter(([name, value]) => name.startsWith("org.opencontainers.image.") && value !== "")
        .map(([name, value]) => `manifest:${name}=${value}`),
      tags: cell.tags,
      platforms: [cell.platform],
      ...(cell.cache_from.length > 0 ? { "cache-from": cell.cache_from.map(fields) } : {}),
      ...(cell.cache_to.length > 0 ? { "cache-to": cell.cache_to.map(fields) } : {}),
      output: [{ type: "docker" }],
      attest: [{ type: "provenance", mode: "max" }],
    });
  }

  const prefixes = prefixTargets(cells, cache);
  const groups = [...new Set(prefixes.map(({ fragment }) => `prefix-${fragment}`))];
  expect(groups.length).toBeGreaterThan(0);
  const below = print(root, file.text, groups);
  expect(Object.keys(below.target).sort()).toEqual(prefixes.map(({ target }) => target).sort());
  for (const prefix of prefixes) {
    expect(below.group[`prefix-${prefix.fragment}`]?.targets).toContain(prefix.target);
    expect(below.target[prefix.target]).toMatchObject({
      target: prefix.fragment,
      dockerfile: `d/${prefix.cell.cell.target}`,
      platforms: [prefix.platform],
      output: [{ type: "cacheonly" }],
    });
    expect(below.target[prefix.target]).not.toHaveProperty("tags");
    expect(prefix.cell.render().dockerfile).toContain(` AS ${prefix.fragment}\n`);
  }
  // A prefix alone has the cache refs of its chain, and no cell fills another's.
  const refs = prefixes
    .flatMap(({ cache_to }) => cache_to)
    .concat(cells.flatMap(({ cell }) => cell.cache_to));
  expect(new Set(refs).size).toBe(refs.length);
}

describeEngine("docker buildx bake --print", () => {
  it.each(["baseline_core_light", "incompatible_core_light"])(
    "gives the cells of %s, and only them",
    (planId) => {
      expectPrinted(copyReference(), { planId });
    },
  );

  it.each(["llm_factory", "llm_factory_cuda"])("gives the cells of the manifest %s", (manifestId) => {
    expectPrinted(copyReference(), { manifestId });
  });

  it("gives the cells of plans of many shapes", { timeout: 600_000 }, () => {
    const version = fc.constantFrom(
      "0.1.0",
      "0.1.1",
      "0.2.0",
      "0.3.0-rc.1",
      "0.3.0-RC.1",
      "0.3.0+a",
      "0.3.0+b",
    );
    const shape = fc.record({
      core: fc.uniqueArray(version, { minLength: 1, maxLength: 7 }),
      extra: fc.uniqueArray(version, { minLength: 1, maxLength: 3 }),
      platforms: fc.subarray(["linux/amd64", "linux/arm64", "linux/arm/v7"], { minLength: 1 }),
      summary: fc
        .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 })
        .map((text) => `${text}\${x} %{y} "z" \\`),
      cached: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ core, extra, platforms, summary, cached }) => {
        const fragment =
          (name: string, order: number) =>
          (one: string): Files => ({
            [`fragments/${name}/${one}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${one}\norder: ${order}\n`,
            [`fragments/${name}/${one}/Dockerfile.hbs`]: `RUN ${name} ${one}\n`,
          });
        const files = [...core.map(fragment("core", 10)), ...extra.map(fragment("extra", 20))];
        const root = makeWorkspace(
          files.reduce((all, one) => ({ ...all, ...one }), {
            "factory.yaml": `schema_version: 1\nrepository: r.example/team\n${cached ? "cache: {repository: r.example/cache}\n" : ""}`,
            "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\nsummary: ${JSON.stringify(summary)}\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {core: "*", extra: "*", app: "*"}\n`,
            "fragments/app/0.1.0/fragment.yaml": (SMALL["fragments/app/0.1.0/fragment.yaml"] ?? "").replace(
              /^requires.*\n/m,
              "",
            ),
            "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\nplatforms: [${platforms.join(", ")}]\naxes: {core: [${core.join(", ")}], extra: [${extra.join(", ")}]}\n`,
          }),
        );
        expectPrinted(root, { planId: "grid" });
      }),
      { numRuns: 12 },
    );
  });

  it("gives every text back as it was, but for Unicode's form NFC, whatever it means to HCL", () => {
    const tokens = [
      ...'"\\$%{}~\n\r\t\b\f\u0000\u001f\u007f\u0085\u00a0\u2028\u2029\ufeff#a/*é😀',
      "${",
      "%{",
      "$${",
      "%%{",
      "${~",
      "\\u",
      "EOT",
      "<<EOT\n",
      "${BUILDKIT_X}",
      "${1+1}",
    ];
    const text = fc.oneof(
      {
        weight: 2,
        arbitrary: fc.array(fc.constantFrom(...tokens), { maxLength: 8 }).map((all) => all.join("")),
      },
      {
        weight: 1,
        arbitrary: fc.string({ unit: "binary", maxLength: 12 }).filter((all) => !/\p{Surrogate}/u.test(all)),
      },
    );
    const root = temporaryFolder();
    fc.assert(
      fc.property(fc.array(text, { minLength: 60, maxLength: 60 }), (texts) => {
        // The first is what HCL itself changes: a text that is not in NFC.
        const all = ["\uf900e\u0301", ...texts];
        const labels = Object.fromEntries(all.map((one, at) => [`l${at}`, one]));
        const keys = Object.fromEntries(all.map((one, at) => [`${at}${one}`, "x"]));
        const inNfc = (map: Record<string, string>) =>
          Object.fromEntries(
            Object.entries(map).map(([key, one]) => [key.normalize("NFC"), one.normalize("NFC")]),
          );
        const block = hclBlock("target", "default", {
          labels: { ...labels, ...keys },
          dockerfile: "D",
          args: labels,
        });
        const printed = print(root, block).target.default as { labels?: object; args?: object };
        expect(printed.labels).toEqual(inNfc({ ...labels, ...keys }));
        expect(printed.args).toEqual(inNfc(labels));
      }),
      { numRuns: 8 },
    );
  });

  it("is split where there are many cells, and nothing is lost or doubled", () => {
    const ports = Array.from({ length: 300 }, (_, at) => at + 1).join(", ");
    const root = makeWorkspace({
      "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [0.1.0, 0.2.0], args: {port: [${ports}]}}\nplatforms: [linux/amd64]\n`,
    });
    const { status, stdout, stderr } = factory(root, [
      "plan",
      "grid",
      "--format",
      "bake",
      "-o",
      "bake",
      "--json",
    ]);
    expect(status, stderr).toBe(0);
    const { cells } = JSON.parse(stdout) as { cells: { target: string }[] };
    const files = readdirSync(join(root, "bake")).sort();
    expect(files.length).toBeGreaterThan(1);
    const seen = files.flatMap((name) => {
      const text = readFileSync(join(root, "bake", name), "utf8");
      expect(text.match(/^target /gm)?.length).toBeLessThanOrEqual(500);
      const printed = print(root, text);
      for (const { dockerfile } of Object.values(printed.target))
        expect(existsSync(join(root, dockerfile ?? ""))).toBe(true);
      return printed.group.default?.targets ?? [];
    });
    expect(seen.sort()).toEqual(cells.map(({ target }) => target).sort());
    expect(seen).toHaveLength(600);
  });

  it("is what the command writes, and it needs no other file", () => {
    const root = copyReference();
    const catalog = openCatalog(root);
    const { cells } = expand(catalog, { planId: "incompatible_core_light" }, { today: "2026-01-01" });
    const { text } = bakeFile(cells, {
      dockerfile: () => "D",
      cache: null,
      output: () => ["type=docker"],
    });
    expect(Object.keys(print(join(root, "fragments"), text).target)).toHaveLength(4);
  });
});
