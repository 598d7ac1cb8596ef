import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OpenCatalog, openCatalog } from "../../src/catalog/open.ts";
import { FactoryError } from "../../src/errors.ts";
import { compareText } from "../../src/model/compare.ts";
import { digestOf, sha256 } from "../../src/model/digest.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { effectiveTests, hashedTests } from "../../src/model/suite.ts";
import type { Choice } from "../../src/stitch/choice.ts";
import { withoutMarks } from "../../src/stitch/dockerfile.ts";
import { dockerfileOf } from "../../src/stitch/finish.ts";
import { fragmentBody } from "../../src/stitch/fragment-body.ts";
import { labelInstruction, RECIPE_KEY_LABEL } from "../../src/stitch/labels.ts";
import { fillTemplate, LABELS_MARK } from "../../src/stitch/render.ts";
import { recipeOf } from "../../src/stitch/recipe.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { cellInputs, keysFor, stitch, type Target } from "../../src/stitch/stitch.ts";
import { NO_SCRIPTS } from "./no-scripts.ts";
import {
  errorFrom,
  type Files,
  makeCatalog,
  makeWorkspace,
  SMALL,
  temporaryFolder,
  writeFiles,
} from "./workspace.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

/** The long way: the whole Dockerfile is checked, keys and digests are those of whole objects. */
function stitchPlainly(catalog: OpenCatalog, id: string, choice: Choice, target: Target) {
  const { manifest, template, pieces, lowered, base: ref } = resolve(catalog, id, choice);
  const { manifest_id, summary, smoke, gpus = null } = manifest.document;
  const { platform = null, digestOf: ask = () => null } = target;
  const digest = /@(sha256:.*)$/.exec(ref)?.[1] ?? (ref === "scratch" ? null : ask(ref, platform ?? ""));
  const labels = {
    "org.opencontainers.image.title": manifest_id,
    ...(summary === undefined ? {} : { "org.opencontainers.image.description": summary.normalize("NFC") }),
    "org.opencontainers.image.base.name": ref,
    "io.factory.manifest-id": manifest_id,
    "io.factory.template": `${template.document.template_id}@${template.document.version}`,
    "io.factory.fragments": pieces
      .map(({ entry: { document: one } }) => `${one.name}@${one.version}`)
      .join(","),
  };
  const bodies = pieces.map(({ entry, args }) => fragmentBody(catalog, entry, args, []));
  const stages = pieces.map(({ entry }, at) => {
    const { name, slot = name } = entry.document;
    return { name, slot, body: () => bodies[at]?.text ?? "" };
  });
  const recipeText = `${withoutMarks(fillTemplate(template, stages, ref).text).replace(LABELS_MARK, () => labelInstruction(labels))}\n`;
  const files = bodies.flatMap((body) => body.files).sort((a, b) => compareText(a.path, b.path));
  const documents = pieces.map(({ entry: { document, folder } }) => ({ ...document, folder }));
  const tests = effectiveTests(documents, smoke);
  const images = [{ role: "base" as const, ref, digest }];
  const allowed = new Set(bodies.flatMap((body) => body.allowed));
  const recipe_key = digestOf({ scheme: "factory/recipe/1", dockerfile: sha256(recipeText), files });
  const build_key = digestOf({
    scheme: "factory/build/2",
    recipe_key,
    images,
    platform,
    environment: target.environment ?? {},
  });
  const test_suite_hash = digestOf({
    scheme: "factory/suite/1",
    gpus: null,
    tests: hashedTests(tests, NO_SCRIPTS.text),
  });
  const chain = pieces.map(({ entry: { document }, args }) => {
    const { name, version } = document;
    return { name, version, args };
  });
  return {
    contents: [],
    copied: [...allowed].sort(compareText),
    files,
    manifest_id,
    template: {
      id: template.document.template_id,
      version: template.document.version,
      digest: digestOf({
        scheme: "factory/template/2",
        reuse: null,
        slots: template.document.slots.map(({ name, optional = false }) => ({ name, optional })),
        dockerfile: sha256(template.dockerfile.text),
      }),
    },
    base: { ref, digest },
    images,
    secrets: [],
    sources: [],
    fragments: pieces.map(({ entry: { document, dockerfile, folder } }) => {
      const { name, version, args = {}, requires = {}, conflicts = {}, platforms = null } = document;
      const own = files.filter(({ path }) => path.startsWith(`${folder}/`));
      const contract = { name, version, args, requires, conflicts, platforms, reuse: null };
      const whole = { ...contract, dockerfile: sha256(dockerfile.text), files: own };
      return { name, version, digest: digestOf({ scheme: "factory/fragment/2", ...whole }) };
    }),
    platform,
    environment: target.environment ?? {},
    gpus,
    recipe_key,
    build_key,
    test_suite_hash,
    verdict_key: digestOf({
      scheme: "factory/verdict/1",
      build_key,
      tests: test_suite_hash,
      gpus,
      limits: catalog.settings().smoke,
    }),
    tests,
    lowered,
    recipeText,
    dockerignore: ["*", ...[...allowed].sort(compareText).map((path) => `!${path}`), ""].join("\n"),
    prefixes: chain.map(({ name, version }, at) => ({
      fragment: name,
      version,
      id: digestOf({ scheme: "factory/prefix/1", base: ref, chain: chain.slice(0, at + 1) }).slice(7, 19),
    })),
  };
}

/** What a call gives, or all that its error says. */
function outcome<T>(call: () => T): T | { code: string; message: string; where: unknown; fix: unknown } {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    const { code, message, where, fix, findings } = error;
    return { code, message, where, fix, ...{ findings } };
  }
}

const isRefusal = <T>(one: T | { code: string }): one is { code: string } =>
  typeof one === "object" && one !== null && "code" in one;

const NAMES = ["a", "a-b", "c"];
const VERSIONS = ["0.1.0", "0.1.1", "0.2.0"];

/** Parts of fragments: what is usual, and what reaches for the lines behind it. */
const PARTS = [
  ..."RUN a\n|ENV V={{quote args.text}}\n|EXPOSE {{args.port}}\n|# a comment\n|\n|RUN a \\\n  b\n|ARG x\n".split(
    "|",
  ),
  'COPY {{file "x"}} /x\n',
  'COPY --chmod=0755 {{file "x"}} {{file "d"}} /x/\n',
  'COPY --chmod={{args.port}} {{file "d"}} /x/\n',
  "RUN <<EOF\nx\n\\\nEOF\n",
  "{{#if args.debug}}RUN debug\n{{/if}}",
];
const ODD_PARTS = [
  ..."\\\n|\\|RUN a \\\n|RUN <<EOF\n|RUN <<'E '\nx\nE \n|\ufeffRUN z\n|\ufeffFROM z\n|FROM z\n|RUN {{args.text}}\n|#\\\n".split(
    "|",
  ),
  'COPY {{file "gone"}} /\n',
];
/** What stands between the slots of a template. */
const GAPS = [
  "\nRUN --mount=target=/c x\n",
  "\n\n",
  "\n",
  "\r\n",
  "\nRUN between {{base}}\n",
  "\n{{#if (eq last 'a')}}RUN behind a\n{{/if}}\n",
];
const ODD_GAPS = [..." |  \n| \\\n|\n# ||\n\\\n|\n#|x\n|\nRUN <<E\n|\nE\n| # \n|\\\n\n".split("|")];

/** Mostly what is usual: else nothing would pass. */
const mostly = (usual: readonly string[], odd: readonly string[]) =>
  fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 2 });
const maybe = (percent: number, text: string) =>
  fc.oneof(
    { weight: 100 - percent, arbitrary: fc.constant("") },
    { weight: percent, arbitrary: fc.constant(text) },
  );

const fragmentFiles = (name: string, version: string, order: number): fc.Arbitrary<Files> =>
  fc
    .record({
      parts: fc.array(mostly(PARTS, ODD_PARTS), { maxLength: 4 }),
      requires: maybe(12, "requires: {a: '>=0.1.1'}\n"),
      conflicts: maybe(12, "conflicts: {c: 0.2.0}\n"),
      platforms: maybe(12, "platforms: [linux/amd64]\n"),
      smoke: fc.constantFrom(
        "",
        ...VERSIONS.map((one) => `smoke: [{id: t, command: {argv: [x, ${one}]}}]\n`),
      ),
      slot: maybe(4, "slot: extra\n"),
      order: maybe(3, "9"),
      declared: maybe(40, "  more: {type: string, default: d}\n"),
      text: fc.constantFrom("plain", "not plain"),
      debug: fc.boolean(),
    })
    .map(({ parts, text, debug, ...more }) => {
      const folder = `fragments/${name}/${version}`;
      const own = [more.requires, more.conflicts, more.platforms, more.smoke, more.slot].join("");
      return {
        [`${folder}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${more.order || order}\n${own}args:\n  text: {type: string, default: ${text}}\n  port: {type: integer, default: 80, maximum: 9000}\n  debug: {type: boolean, default: ${debug}}\n${more.declared}${name === "a" ? "  only: {type: string, default: d}\n" : ""}`,
        [`${folder}/Dockerfile.hbs`]: parts.join(""),
        [`${folder}/x`]: version,
        [`${folder}/d/y`]: "y",
      };
    });

const workspace: fc.Arbitrary<Files> = fc
  .record({
    fragments: fc.tuple(
      ...NAMES.flatMap((name, order) => VERSIONS.map((version) => fragmentFiles(name, version, order))),
    ),
    gaps: fc.array(mostly(GAPS, ODD_GAPS), { minLength: 6, maxLength: 6 }),
    start: mostly([""], ["# c\n", "# escape=`\n", "ARG v=1\n", "RUN x\n"]),
    more: mostly(
      [
        "",
        "gpus: 1\n",
        "args: {a: {port: 81}}\n",
        "args: {a: {port: 81}, c: {debug: true, port: 7}}\n",
        "args: {only: o}\n",
      ],
      ["args: {gone: 1}\n", "args: {port: 1}\n", "args: {a: {gone: 1}}\n"],
    ),
    range: fc.constantFrom("~0.1", "*", "0.1.0"),
  })
  .map(({ fragments, gaps, start, more, range }) => {
    const slots = [...NAMES, "extra"].map((slot, at) => `{{slot "${slot}"}}${gaps[at + 1] ?? ""}`).join("");
    return {
      "factory.yaml": "schema_version: 1\nsmoke: {pids: 100}\n",
      "manifests/m.yaml": `schema_version: 1\nmanifest_id: m\nsummary: 'S "$\\'\ntemplate: t@0.1.0\nbase: debian:12\n${more}fragments: {c: "*", a: "${range}", a-b: 0.1.0}\nsmoke: [{id: m, file: {path: /x}}]\n`,
      "templates/t/0.1.0/template.yaml": `schema_version: 1\ntemplate_id: t\nversion: 0.1.0\nslots: [${NAMES.map((name) => `{name: ${name}}`).join(", ")}, {name: extra, optional: true}]\n`,
      "templates/t/0.1.0/Dockerfile.hbs": `${start}FROM {{base}} AS base${gaps[0]}${slots}\nFROM {{last}} AS image${gaps[5]}\n{{labels}}\n`,
      ...Object.fromEntries(fragments.flatMap((files) => Object.entries(files))),
    };
  });

const version = fc.constantFrom(...VERSIONS, ...VERSIONS, ...VERSIONS, "~0.1", "*", "9");
const request: fc.Arbitrary<{ choice: Choice; target: Target }> = fc.record({
  choice: fc.record(
    {
      set: fc.record({ a: version, "a-b": version, c: version }, { requiredKeys: [] }),
      args: fc.record(
        {
          "a.text": fc.constantFrom("v", "v w", ""),
          "c.port": fc.constantFrom<(string | number)[]>("82", 82, "755", 755, "755", 82, "082", 99_999),
          only: fc.constantFrom("m", "n"),
          "a-b.more": fc.constant("m"),
          "a-b.debug": fc.constantFrom<(string | boolean)[]>("true", true, false),
        },
        { requiredKeys: [] },
      ),
      base: fc.constantFrom("debian:13", `debian@${DIGEST}`, "scratch"),
      platforms: fc.constantFrom(["linux/amd64"], ["linux/arm64"]),
      pick: fc.constantFrom(
        () => undefined,
        () => "0.1.0",
      ),
    },
    { requiredKeys: [] },
  ),
  target: fc.record({
    platform: optional(fc.constant("linux/amd64")),
    digestOf: optional(fc.constant(() => DIGEST)),
    environment: optional(fc.constant({ SOURCE_DATE_EPOCH: "1" })),
  }),
});

describe("what cells share", () => {
  it("is what the long way gives: the same bytes, the same errors", () => {
    const count = { given: 0, refused: 0, stricter: 0 };
    fc.assert(
      fc.property(workspace, fc.array(request, { minLength: 10, maxLength: 10 }), (files, requests) => {
        const root = temporaryFolder();
        writeFiles(root, files);
        const shared = openCatalog(root);
        for (const [at, { choice, target }] of requests.entries()) {
          const expected = outcome(() => stitchPlainly(openCatalog(root), "m", choice, target));
          const keysNow = () => {
            const { reads, args, ...keys } = keysFor(recipeOf(shared, resolve(shared, "m", choice)), target);
            expect([reads.base, Object.keys(args).length > 0]).toEqual([keys.base.ref, true]);
            return keys;
          };
          // Either may be the first to see a piece.
          const early = at % 2 === 0 ? outcome(keysNow) : undefined;
          const whole = outcome(() => stitch(shared, "m", choice, target));
          const keys = early ?? outcome(keysNow);
          if (isRefusal(whole) && /the slot of/.test(whole.message) && !isDeepStrictEqual(whole, expected)) {
            // What can be told of the template is refused before any fault of a body, and in all Dockerfiles.
            expect(keys).toEqual(whole);
            // A body that ends in a heredoc shows what stands after its slot only by what that hides.
            if (isRefusal(expected))
              expect(expected.message).toMatch(
                /^(it is not clear where this instruction ends|the slot of `FROM )/,
              );
            count.stricter += 1;
            continue;
          }
          if (isRefusal(expected) || isRefusal(whole)) {
            expect(whole).toEqual(expected);
            expect(keys).toEqual(expected);
            count.refused += 1;
            continue;
          }
          const {
            manifest_id,
            tests,
            recipeText,
            dockerignore,
            copied,
            contents,
            files: own,
            lowered,
            ...rest
          } = expected;
          expect(whole.lowered).toEqual(lowered);
          expect(keys).toEqual(rest);
          const { dockerfile, labels, unlabelled, reads, args, ...more } = whole;
          expect(more).toEqual(expected);
          expect(contents).toEqual([]);
          expect([manifest_id, tests.length > 0, dockerignore.startsWith("*")]).toEqual(["m", true, true]);
          expect(own).toEqual(own.filter(({ path }) => copied.some((one) => path.startsWith(one))));
          expect(dockerfile.startsWith(recipeText.slice(0, recipeText.indexOf("FROM ")))).toBe(true);
          expect(dockerfile).toContain(labels[RECIPE_KEY_LABEL]);
          expect([reads.base, unlabelled.includes("LABEL"), "only" in args]).toEqual([
            rest.base.ref,
            false,
            true,
          ]);
          if (target.platform) {
            const inputs = cellInputs(shared, resolve(shared, "m", choice), {
              ...target,
              platform: target.platform,
              cell_id: "m",
            });
            const { recipe_key, build_key, test_suite_hash, verdict_key } = rest;
            expect(keysOf(inputs)).toEqual({ recipe_key, build_key, test_suite_hash, verdict_key });
            expect(dockerfileOf(inputs)).toBe(dockerfile);
          }
          count.given += 1;
        }
      }),
      { numRuns: 20 },
    );
    // No side may be empty, or nothing was compared. How many of each there are is left to chance.
    expect(count.given).toBeGreaterThan(5);
    expect(count.refused).toBeGreaterThan(5);
  });

  it("is as old as the catalog", () => {
    const root = makeWorkspace();
    const catalog = openCatalog(root);
    const before = stitch(catalog, "demo");
    writeFileSync(join(root, "fragments/app/0.1.0/server.py"), "print('hallo')\n");
    // Another value makes another piece of the same fragment: its files are not read again.
    const other = (one: OpenCatalog) => stitch(one, "demo", { args: { name: "b" } }).build_key;
    const kept = other(catalog);
    expect(stitch(catalog, "demo")).toEqual(before);
    expect(stitch(openCatalog(root), "demo").build_key).not.toBe(before.build_key);
    expect(other(openCatalog(root))).not.toBe(kept);
  });

  it("is not what refused: the same error comes again", () => {
    const catalog = makeCatalog({ "fragments/app/0.1.0/server.py": null });
    const [first, second] = [1, 2].map(() => errorFrom(() => stitch(catalog, "demo")));
    expect(first).toMatchObject({ code: "FILE_MISSING", message: second?.message, where: second?.where });
  });

  it("has the values of its own arguments, whatever others there were before", () => {
    const catalog = makeCatalog();
    const argsOf = (args: Choice["args"]) => recipeOf(catalog, resolve(catalog, "demo", { args })).args;
    expect([argsOf({ port: 90 }), argsOf({ port: 91 }), argsOf({ port: 90, name: "b" })]).toMatchObject([
      { port: 90, name: "app" },
      { port: 91, name: "app" },
      { port: 90, name: "b" },
    ]);
  });

  it("names each document that says that nothing made of it is reused", () => {
    const never = (...files: string[]) =>
      Object.fromEntries(files.map((file) => [file, `${SMALL[file] ?? ""}reuse: never\n`]));
    const neverReused = (...files: string[]) => {
      const catalog = makeCatalog(never(...files));
      return recipeOf(catalog, resolve(catalog, "demo")).neverReused;
    };
    const template = "templates/plain/0.1.0/template.yaml";
    const [core, app] = ["fragments/core/0.1.1/fragment.yaml", "fragments/app/0.1.0/fragment.yaml"];
    expect(neverReused()).toEqual([]);
    for (const one of [template, core, app]) expect(neverReused(one)).toEqual([one]);
    expect(neverReused(template, core, app)).toEqual([template, core, app]);
    // Of another version than the manifest's nothing is said.
    expect(neverReused("fragments/core/0.1.0/fragment.yaml")).toEqual([]);
  });

  it("cannot be changed through what was handed out", () => {
    const catalog = makeCatalog();
    const before = JSON.stringify(stitch(catalog, "demo"));
    const resolved = resolve(catalog, "demo");
    const keys = keysFor(recipeOf(catalog, resolved));
    for (const shared of [
      keys.args,
      keys.base,
      keys.template,
      keys.fragments,
      keys.prefixes,
      keys.images,
      ...keys.fragments,
      ...keys.prefixes,
      ...keys.images,
    ]) {
      expect(Object.isFrozen(shared)).toBe(true);
    }
    (resolved.pieces as unknown[]).length = 0;
    const whole = stitch(catalog, "demo");
    whole.tests.length = 0;
    whole.labels.more = "label";
    expect(JSON.stringify(stitch(catalog, "demo"))).toBe(before);
  });
});

describe("a slot", () => {
  const TEMPLATE = "templates/plain/0.1.0/Dockerfile.hbs";
  const rendered = (files: Files) => outcome(() => stitch(makeCatalog(files), "demo").dockerfile);
  const withCore = (slot: string, end = "\n") =>
    [
      "FROM {{base}} AS base",
      slot,
      '{{slot "extra"}}',
      '{{slot "app"}}',
      "FROM {{last}} AS i",
      "{{labels}}",
      "",
    ].join(end);

  it.each([
    ["alone on its line", withCore('{{slot "core"}}')],
    ["with an end of line as on Windows", withCore('{{slot "core"}}', "\r\n")],
  ])("stands %s", (_, text) => {
    expect(rendered({ [TEMPLATE]: text })).toContain("RUN install --fast python3");
  });

  it.each([
    ["a word", withCore('{{slot "core"}} x')],
    ["a space", withCore('{{slot "core"}} ')],
  ])("has not %s behind it", (_, text) => {
    expect(rendered({ [TEMPLATE]: text })).toMatchObject({
      code: "TEMPLATE_INSTRUCTION",
      where: { file: TEMPLATE },
      fix: expect.stringContaining("alone on a line") as string,
    });
  });

  it("takes no fragment that goes on into the next line", () => {
    const lone = { "fragments/core/0.1.1/Dockerfile.hbs": "RUN {{args.python}}\n\\\n" };
    expect(rendered(lone)).toMatchObject({
      code: "TEMPLATE_INSTRUCTION",
      where: { file: "fragments/core/0.1.1/Dockerfile.hbs" },
    });
  });
});

describe("what is refused in a template", () => {
  it.each([
    ["an instruction that does not end", "RUN <<E", "RUN <<E: no line `E` ends"],
    ["a source without a hash", "ADD https://h.example/x /x", "SOURCE_UNPINNED"],
    ["an image that is not plain", "FROM 'x'", "IMAGE_UNCLEAR"],
  ])("is named by its line in the whole, behind bodies of several lines: %s", (_, line, told) => {
    const core = "fragments/core/0.1.1/Dockerfile.hbs";
    const text = `FROM {{base}} AS base\n{{slot "core"}}\n${line}\n{{slot "extra"}}\n{{slot "app"}}\nFROM {{last}} AS i\n{{labels}}\n`;
    const refused = (body: string) => {
      const files = { "templates/plain/0.1.0/Dockerfile.hbs": text, [core]: body };
      const error = errorFrom(() => stitch(makeCatalog(files), "demo"));
      expect(`${error.code} ${error.message}`).toContain(told);
      return /line (\d+) of the rendered text/.exec(error.fix ?? "")?.[1];
    };
    expect(["", "RUN a\n", "RUN a\n\n# c\nRUN b \\\n  c\n"].map(refused)).toEqual(["3", "4", "8"]);
  });
});

describe("a choice", () => {
  it("has a base in place of the manifest's", () => {
    const { base, dockerfile, labels } = stitch(makeCatalog(), "demo", { base: "debian:trixie-slim" });
    expect(base).toEqual({ ref: "debian:trixie-slim", digest: null });
    expect(dockerfile).toContain("FROM debian:trixie-slim AS base\n");
    expect(labels["org.opencontainers.image.base.name"]).toBe("debian:trixie-slim");
    expect(resolve(makeCatalog(), "demo").base).toBe("debian:bookworm-slim");
  });

  it("refuses a base that would be more than a word", () => {
    const error = errorFrom(() => stitch(makeCatalog(), "demo", { base: "a AS base\nRUN b" }));
    expect(error).toMatchObject({
      code: "ARG_UNSAFE",
      where: { file: "templates/plain/0.1.0/Dockerfile.hbs" },
    });
  });

  it("has numbers as they are, and texts as the type that is declared", () => {
    const catalog = makeCatalog();
    const args = (port: string | number) => stitch(catalog, "demo", { args: { port } });
    expect(args(90)).toEqual(args("90"));
    expect(args(90).args.port).toBe(90);
    const refused = (name: string, value: string | number | boolean) =>
      errorFrom(() => stitch(catalog, "demo", { args: { [name]: value } }));
    expect(refused("name", 90)).toMatchObject({ code: "ARG_TYPE" });
    expect(refused("port", true)).toMatchObject({ code: "ARG_TYPE" });
    expect(refused("port", Number.NaN)).toMatchObject({ code: "ARG_TYPE" });
    expect(refused("port", 0)).toMatchObject({ code: "ARG_TYPE" });
  });

  it("takes what a lock picks, for templates too, and asks it once for a range", () => {
    const catalog = makeCatalog({
      "templates/plain/0.1.1/template.yaml":
        "schema_version: 1\ntemplate_id: plain\nversion: 0.1.1\nslots: [{name: core}, {name: app}]\n",
      "templates/plain/0.1.1/Dockerfile.hbs":
        'FROM {{base}} AS base\n{{slot "core"}}\n{{slot "app"}}\nFROM {{last}} AS image\n{{labels}}\n',
    });
    const asked: unknown[][] = [];
    const pick: Choice["pick"] = (...question) => {
      asked.push(question);
      return question[1] === "app" ? undefined : "0.1.0";
    };
    const versions = (choice: Choice) => {
      const { template, fragments } = recipeOf(catalog, resolve(catalog, "demo", choice));
      return [template.version, ...fragments.map((one) => one.version)];
    };
    expect(versions({})).toEqual(["0.1.1", "0.1.1", "0.1.0"]);
    expect(versions({ pick })).toEqual(["0.1.0", "0.1.0", "0.1.0"]);
    expect(versions({ pick })).toEqual(["0.1.0", "0.1.0", "0.1.0"]);
    expect(versions({})).toEqual(["0.1.1", "0.1.1", "0.1.0"]);
    expect(asked).toEqual([
      ["fragment", "core", "~0.1", ["0.1.0", "0.1.1", "0.2.0"]],
      ["fragment", "app", "0.1.0", ["0.1.0"]],
      ["template", "plain", "~0.1", ["0.1.0", "0.1.1"]],
    ]);
    expect(versions({ pick, set: { core: "0.2.0" } })).toEqual(["0.1.0", "0.1.0", "0.1.0"]);
    expect(asked.at(-1)).toEqual(["fragment", "core", "0.2.0", ["0.1.0", "0.1.1", "0.2.0"]]);
  });

  it("refuses what a lock picks and nobody has", () => {
    const error = errorFrom(() => resolve(makeCatalog(), "demo", { pick: () => "7.0.0" }));
    expect(error).toMatchObject({ code: "UNKNOWN_FRAGMENT", exitCode: 2 });
  });
});
