import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { type Inputs, keysOf } from "../../src/model/inputs.ts";
import { openImages } from "../../src/plan/bases.ts";
import { decide } from "../../src/plan/decide/decide.ts";
import { expand } from "../../src/plan/expand.ts";
import { keepLock } from "../../src/plan/lock/draft.ts";
import { dockerfileOf } from "../../src/stitch/finish.ts";
import { stitch, type Target } from "../../src/stitch/stitch.ts";
import { attemptAt, NOW, recordsOf } from "../unit/plan-reason-cells.ts";
import { scriptedPlaces } from "../unit/scripted-places.ts";
import { cli, errorFrom, factory, type Files, makeCatalog, makeWorkspace, SMALL } from "../unit/workspace.ts";

const TODAY = { today: "2026-01-01" };
const APP = "fragments/app/0.1.0/Dockerfile.hbs";
const APP_YAML = "fragments/app/0.1.0/fragment.yaml";
const TEMPLATE = "templates/plain/0.1.0/Dockerfile.hbs";
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** The small workspace with text in front of its template's base stage, and behind it. */
const template = (before: string, behind = ""): Files => ({
  [TEMPLATE]: (SMALL[TEMPLATE] ?? "").replace(
    "FROM {{base}} AS base\n",
    `${before}FROM {{base}} AS base\n${behind}`,
  ),
});

/** Every way in which a Dockerfile reads an image beside its base, with the role and the reference. */
const READERS: [string, string, string, Files][] = [
  ["COPY --from=IMAGE", "copy", "busybox:1", { [APP]: "COPY --from=busybox:1 /bin/sh /sh\n" }],
  [
    "COPY --from=IMAGE behind ONBUILD",
    "copy",
    "busybox:1",
    { [APP]: "ONBUILD COPY --from=busybox:1 /a /b\n" },
  ],
  [
    "COPY --from=IMAGE over two lines",
    "copy",
    "busybox:1",
    { [APP]: "COPY \\\n  --from=busybox:1 \\\n  /a /b\n" },
  ],
  ["a value in COPY --from", "copy", "app:v1", { [APP]: "COPY --from={{args.name}}:v1 /a /b\n" }],
  [
    "RUN --mount=from=IMAGE",
    "mount",
    "busybox:1",
    { [APP]: "RUN --mount=type=bind,from=busybox:1,target=/b true\n" },
  ],
  [
    "RUN --mount with another first",
    "mount",
    "b:1",
    { [APP]: "RUN --mount=type=cache,target=/c --mount=From=b:1,target=/b true\n" },
  ],
  [
    "RUN --mount=from=NUMBER, which is no stage",
    "mount",
    "0",
    { [APP]: "RUN --mount=from=0,target=/b true\n" },
  ],
  [
    "FROM IMAGE AS x in a template",
    "stage",
    "golang:1",
    template("", "\nFROM golang:1 AS tools\n\nFROM base AS again\n"),
  ],
  ["# syntax=", "syntax", "docker/dockerfile:1", template("# syntax=docker/dockerfile:1\n")],
  [
    "# syntax= behind another directive",
    "syntax",
    "docker/dockerfile:1",
    template("# check=skip=all\n#SYNTAX = docker/dockerfile:1 more\n"),
  ],
];

describe.each(READERS)("%s", (_, role, ref, files) => {
  const at = (one: string, base = "b"): Target => ({
    platform: "linux/amd64",
    digestOf: (name) => (name === ref ? digest(one) : digest(base)),
  });

  it("A1 is resolved, in the build key, and pinned in the text", () => {
    const [first, second] = ["1", "2"].map((one) => stitch(makeCatalog(files), "demo", {}, at(one)));
    expect(first?.images).toContainEqual({ role, ref, digest: digest("1") });
    expect(first?.images.filter((image) => image.role === "base")).toHaveLength(1);
    expect(second?.recipe_key).toBe(first?.recipe_key);
    expect(second?.build_key).not.toBe(first?.build_key);
    expect(second?.verdict_key).not.toBe(first?.verdict_key);
    expect(first?.dockerfile).toContain(`${ref}@${digest("1")}`);
    expect(first?.recipeText).not.toContain("@sha256");
    // Nobody can say which bits are meant before it is resolved.
    const open = stitch(makeCatalog(files), "demo", {}, { ...at("1"), digestOf: () => null });
    expect(
      [open.labels, first?.labels].map((one) => Object.keys(one ?? {}).includes("io.factory.build-key")),
    ).toEqual([false, true]);
  });

  it("A1 is never reused when it moved, and the reason names it", async () => {
    const [planned] = expand(
      makeCatalog(files),
      { manifestId: "demo" },
      { ...TODAY, digestOf: at("1").digestOf },
    ).cells;
    if (!planned) throw new Error("there is no cell");
    const records = recordsOf([attemptAt(planned, 0)]);
    const options = {
      attempts: records,
      now: NOW,
      maxAge: () => null,
      needPushed: false,
      places: scriptedPlaces(),
    };
    const [same] = await decide([planned], options);
    expect(same?.cell.action).toBe("reuse");
    const [moved] = await decide([planned.pin(() => null)], options);
    expect(moved?.cell.action).toBe("reuse");
    const [other] = expand(
      makeCatalog(files),
      { manifestId: "demo" },
      { ...TODAY, digestOf: at("2").digestOf },
    ).cells;
    const [after] = await decide(other ? [other] : [], options);
    expect(after?.cell).toMatchObject({ action: "build", reason: "BASE" });
    expect(after?.cell.changes.map(({ input }) => input)).toEqual([`images.${ref}`]);
  });

  it("A1 is in the lock, on each platform", () => {
    const { open } = keepLock(makeCatalog({ ...files, "control_plane/plans/grid.yaml": null }), new Map());
    for (const platform of ["linux/amd64", "linux/arm64"])
      expect(open.map(({ kind, name, at: on }) => [kind, name, on])).toContainEqual(["base", ref, platform]);
  });
});

describe("names of stages", () => {
  it("A1 are no images, nor are their numbers", () => {
    const body =
      "COPY --from=core /a /b\nCOPY --from=CORE /a /b\nCOPY --from=0 /a /b\nRUN --mount=from=base,target=/x true\n";
    const { images } = stitch(makeCatalog({ [APP]: body }), "demo");
    expect(images.map(({ ref }) => ref)).toEqual(["debian:bookworm-slim"]);
  });

  it("A1 are not pinned where an image of that name is", () => {
    const files = {
      ...template("", "\nFROM tools AS tools\n\nFROM base AS again\n"),
      [APP]: "COPY --from=tools /a /b\n",
    };
    const { dockerfile } = stitch(makeCatalog(files), "demo", {}, { digestOf: () => digest("1") });
    expect(dockerfile).toContain(`FROM tools@${digest("1")} AS tools\n`);
    expect(dockerfile).toContain("COPY --from=tools /a /b\n");
  });
});

describe("an image that cannot be known", () => {
  it.each([
    ["an ARG in FROM", template("ARG V=1\n", "\nFROM golang:${V} AS tools\n\nFROM base AS again\n")],
    ["quotes", { [APP]: 'COPY --from="busybox:1" /a /b\n' }],
    ["a backslash", { [APP]: "COPY --from=busy\\box:1 /a /b\n" }],
    ["two lines", { [APP]: "COPY --from=busy\\\nbox:1 /a /b\n" }],
    ["a mount with a space in quotes", { [APP]: "RUN --mount=target='/a b',from=busybox:1 true\n" }],
    ["a variable in a mount", { [APP]: "RUN --mount=from=${X},target=/x true\n" }],
  ])("A1 is a finding: %s", (_, files: Files) => {
    expect(errorFrom(() => stitch(makeCatalog(files), "demo"))).toMatchObject({
      code: "IMAGE_UNCLEAR",
      exitCode: 2,
    });
  });
});

describe("what comes from outside", () => {
  const COMMIT = "a".repeat(40);
  it.each([
    "ADD https://example.com/a.tgz /a",
    "ADD --chmod=0644 HTTPS://example.com/a.tgz /a".replace("HTTPS", "https"),
    'ADD ["http://example.com/a", "/a"]',
    'ADD "https://example.com/a" /a',
    'ADD {{file "server.py"}} https://example.com/a /a/',
    "ADD https://example.com/a.git /a",
    "ADD https://example.com/a.git#main /a",
    "ADD https://example.com/a.git#abcdef0 /a",
    "ADD git@example.com:a/b.git /a",
    "ADD github.com/a/b /a",
    "ADD $SOURCE /a",
    "ONBUILD ADD https://example.com/a /a",
    "ARG BUILDPLATFORM",
    "ARG A=1 HTTP_PROXY",
    "ARG no_proxy=x",
  ])("A1 is a finding without a pin: %s", async (line) => {
    const files = { [APP]: `${line}\n` };
    expect(errorFrom(() => stitch(makeCatalog(files), "demo"))).toMatchObject({
      code: "SOURCE_UNPINNED",
      exitCode: 2,
    });

    const never = { ...files, [APP_YAML]: `${SMALL[APP_YAML]}reuse: never\n` };
    const given = { ...TODAY, digestOf: () => digest("1") };
    const [planned] = expand(makeCatalog(never), { manifestId: "demo" }, given).cells;
    if (!planned) throw new Error("there is no cell");
    const attempts = recordsOf([attemptAt(planned, 0)]);
    const [decided] = await decide([planned], {
      attempts,
      now: NOW,
      maxAge: () => null,
      needPushed: false,
      places: scriptedPlaces(),
    });
    expect(decided?.cell).toMatchObject({ action: "build", reason: "NEVER" });
    expect(decided?.cell.changes).toEqual([{ input: "reuse", before: null, after: APP_YAML }]);
  });

  it.each([
    `ADD --checksum=${digest("1")} https://example.com/a.tgz /a`,
    `ADD https://example.com/a.git#${COMMIT} /a`,
    `ADD https://example.com/a.git#${COMMIT}:sub /a`,
    `ADD git@example.com:a/b.git#${COMMIT} /a`,
    "ADD <<EOF /a\nhttps://example.com\nEOF",
    "RUN echo ADD https://example.com/a /a",
    "# ADD https://example.com/a /a",
    "ARG SOURCE_DATE_EPOCH",
    "ARG TARGETPLATFORM",
  ])("A1 is none with a pin: %s", (line) => {
    expect(stitch(makeCatalog({ [APP]: `${line}\n` }), "demo").dockerfile).toContain(line.split("\n")[0]);
  });

  it("A1 is a finding in a template, for the platform of the builder", () => {
    const files = template("", "\nFROM --platform=$BUILDPLATFORM golang:1 AS tools\n\nFROM base AS again\n");
    expect(errorFrom(() => stitch(makeCatalog(files), "demo"))).toMatchObject({
      code: "SOURCE_UNPINNED",
      where: { file: TEMPLATE },
    });
    const fixed = template("", "\nFROM --platform=linux/arm64 golang:1 AS tools\n\nFROM base AS again\n");
    const { cells } = expand(makeCatalog(fixed), { manifestId: "demo" }, TODAY);
    expect(openImages(cells)).toContainEqual({ ref: "golang:1", platform: "linux/arm64" });
    expect(openImages(cells)).not.toContainEqual({ ref: "golang:1", platform: "linux/amd64" });
  });

  it("A1 SOURCE_DATE_EPOCH, which buildx hands to every build, is in the key", () => {
    const root = makeWorkspace();
    const keys = (env: NodeJS.ProcessEnv) => {
      const { stdout } = factory(root, ["plan", "--manifest-id", "demo", "--format", "json"], env);
      const { cells } = JSON.parse(stdout) as { cells: { recipe_key: string; build_key: string }[] };
      return cells[0];
    };
    const [none, one, two] = [{}, { SOURCE_DATE_EPOCH: "1" }, { SOURCE_DATE_EPOCH: "2" }].map(keys);
    expect(new Set([none?.build_key, one?.build_key, two?.build_key]).size).toBe(3);
    expect(new Set([none?.recipe_key, one?.recipe_key, two?.recipe_key]).size).toBe(1);
  });
});

describe("file modes", () => {
  it("A3 are git's: the key of a checkout is the same under any umask, and with any bit but the owner's x", () => {
    const stitched = [0o22, 0o77, 0o2].map((umask) => {
      const root = makeWorkspace();
      const visit = (path: string) => {
        const folder = statSync(path).isDirectory();
        chmodSync(path, (folder ? 0o777 : 0o666) & ~umask);
        if (folder) for (const name of readdirSync(path)) visit(join(path, name));
      };
      visit(join(root, "fragments"));
      const { recipe_key, files, fragments } = stitch(openCatalog(root), "demo");
      return JSON.stringify({ recipe_key, files, fragments });
    });
    expect(new Set(stitched).size).toBe(1);
  });

  it.each([
    ["COPY that sets them", 'COPY --chmod=0644 {{file "server.py"}} /a\n'],
    ["ONBUILD COPY", 'ONBUILD COPY {{file "server.py"}} /a\n'],
    ["a mount", 'RUN --mount=type=bind,target=/c cp -a /c/{{file "server.py"}} /a\n'],
  ])("A3 are in the key, whatever copies the file: %s", (_, text) => {
    const keys = [0o644, 0o755].map((mode) => {
      const root = makeWorkspace({ [APP]: text });
      chmodSync(join(root, "fragments/app/0.1.0/server.py"), mode);
      return stitch(openCatalog(root), "demo").recipe_key;
    });
    expect(new Set(keys).size).toBe(2);
  });
});

describe("the last stage", () => {
  const ends = (last: string): Files => ({
    [TEMPLATE]: (SMALL[TEMPLATE] ?? "").replace("FROM {{last}} AS image", last),
  });
  it.each([
    ["another image", "FROM gcr.io/distroless/static:1 AS image", "gcr.io/distroless/static:1"],
    ["a stage on another image", "FROM alpine:3 AS run\n\nFROM run AS image", "alpine:3"],
    ["scratch", "FROM scratch AS image", "scratch"],
    ["a fragment's stage", "FROM {{last}} AS image", "debian:bookworm-slim"],
  ])("A9 names its own base: %s", (_, last, ref) => {
    const digestOf = (name: string) => digest(name.startsWith("debian") ? "d" : "e");
    const { base, labels, images, dockerfile } = stitch(
      makeCatalog(ends(last)),
      "demo",
      {},
      { digestOf, platform: "p" },
    );
    const expected = ref === "scratch" ? null : digestOf(ref);
    expect(base).toEqual({ ref, digest: expected });
    expect(labels["org.opencontainers.image.base.name"]).toBe(ref);
    expect(labels["org.opencontainers.image.base.digest"]).toBe(expected ?? undefined);
    expect(images.filter(({ role }) => role === "base")).toEqual([{ role: "base", ref, digest: expected }]);
    expect(dockerfile).toContain(`FROM debian:bookworm-slim@${digest("d")} AS base`);
    const [planned] = expand(makeCatalog(ends(last)), { manifestId: "demo" }, { ...TODAY, digestOf }).cells;
    expect(planned?.cell.base).toEqual(base);
  });
});

describe("two fragments with an argument of one name", () => {
  const files = (manifestArgs: string): Files => ({
    "fragments/core/0.1.1/fragment.yaml":
      "schema_version: 1\nname: core\nversion: 0.1.1\norder: 10\nargs: {name: {type: string, default: own}}\n",
    "fragments/core/0.1.1/Dockerfile.hbs": "RUN core {{args.name}}\n",
    "fragments/app/0.1.0/Dockerfile.hbs": "RUN app {{args.name}} {{args.port}}\n",
    "manifests/demo.yaml": (SMALL["manifests/demo.yaml"] ?? "").replace("{port: 8080}", manifestArgs),
  });

  it("A9 have their own values, from the manifest, the command line and a plan", () => {
    const catalog = makeCatalog(files("{port: 8080, core: {name: c}, app: {name: a}}"));
    const { dockerfile, args } = stitch(catalog, "demo");
    expect(dockerfile).toMatch(/RUN core c\n[^]*RUN app a 8080\n/);
    expect(args).toEqual({ "app.name": "a", "core.name": "c", port: 8080 });
    const given = stitch(catalog, "demo", { args: { "app.name": "other" } });
    expect(given.args).toEqual({ "app.name": "other", "core.name": "c", port: 8080 });

    const plan =
      "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {args: {core.name: [x, y]}, platform: [linux/amd64]}\nexpect: [{when: {args: {core.name: x}}, result: fail, owner: team, until: never, reason: none}]\n";
    const { cells } = expand(
      makeCatalog({ ...files("{port: 8080}"), "control_plane/plans/grid.yaml": plan }),
      { planId: "grid" },
      TODAY,
    );
    expect(cells.map(({ cell }) => [cell.cell_id, cell.args, cell.expect?.result])).toEqual([
      ["demo.args.core.name-x.linux-amd64", { "app.name": "app", "core.name": "x", port: 8080 }, "fail"],
      ["demo.args.core.name-y.linux-amd64", { "app.name": "app", "core.name": "y", port: 8080 }, undefined],
    ]);
  });

  it.each([
    ["in a manifest", "{name: x}", {}],
    ["with --arg", "{port: 8080}", { args: { name: "x" } }],
  ])("A9 cannot be given one value by the bare name %s", (_, args, choice) => {
    expect(errorFrom(() => stitch(makeCatalog(files(args)), "demo", choice))).toMatchObject({
      code: "ARG_AMBIGUOUS",
      fix: "say which one you mean: `core.name` or `app.name`",
    });
  });
});

describe("deep nestings", () => {
  const run = (text: string) => {
    const root = makeWorkspace({ [APP]: `${text}\n` });
    return spawnSync(process.execPath, [cli, "stitch", "--manifest-id", "demo", "-o", "-"], {
      cwd: root,
      encoding: "utf8",
      timeout: 240_000,
      maxBuffer: 64 << 20,
    });
  };
  const DEEP = 20_000;
  it.each([
    ["${a:- that never ends", `RUN echo ${"${a:-".repeat(DEEP)}`, 0],
    ["${a:-…}", `RUN echo ${"${a:-".repeat(DEEP)}${"}".repeat(DEEP)}`, 0],
    ["${a:-…} beside a here-document", `RUN cat <<EOF ${"${a:-".repeat(DEEP)}${"}".repeat(DEEP)}\nEOF`, 0],
    ['"${a:-…', `RUN echo ${'"${a:-'.repeat(DEEP)}`, 0],
    ["a list in a list", `RUN ${"[".repeat(DEEP * 10)}`, 0],
    ["{{#if …}}", `${"{{#if args.port}}".repeat(DEEP)}RUN a${"{{/if}}".repeat(DEEP)}`, 2],
    ["{{else if …}}", `{{#if args.port}}${"{{else if args.port}}".repeat(DEEP)}{{/if}}`, 2],
    ["(eq …)", `{{#if ${"(eq args.port ".repeat(DEEP)}1${")".repeat(DEEP)}}}RUN a{{/if}}`, 2],
  ])("B3 end with an answer: %s", (_, text, status) => {
    const ended = run(text);
    expect([ended.status, ended.signal]).toEqual([status, null]);
    expect(ended.stderr).not.toMatch(/\n\s+at .*:\d+:\d+\)?\n/);
    if (status === 2) expect(ended.stderr).toContain("TEMPLATE_SYNTAX");
  });
});

describe("the inputs of a cell", () => {
  const { cells } = {
    cells: () =>
      expand(
        makeCatalog(READERS[4]?.[3]),
        { planId: "grid" },
        { ...TODAY, digestOf: () => digest("1"), environment: { SOURCE_DATE_EPOCH: "1" } },
      ).cells,
  };

  it("A1 give the keys of the cell, and the Dockerfile that is built", () => {
    for (const { cell, keys, inputs, render } of cells()) {
      const { recipe_key, build_key, verdict_key } = cell;
      expect(keysOf(inputs)).toEqual({
        recipe_key,
        build_key,
        verdict_key,
        test_suite_hash: keys.test_suite_hash,
      });
      expect(dockerfileOf(inputs)).toBe(render().dockerfile);
      expect(JSON.parse(JSON.stringify(inputs))).toEqual(inputs);
    }
  });

  it("A1 change the build key with every letter that a build reads", () => {
    const [inputs] = cells().map((one) => one.inputs);
    if (!inputs) throw new Error("there is no cell");
    const { dockerfile, files, images, environment, platform } = inputs;
    const text = JSON.stringify({ dockerfile, files, images, environment, platform });
    const places = [...text.matchAll(/(?<=":"[^"]*)[A-Za-z0-9]/g)].map(({ index }) => index);
    const before = keysOf(inputs);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(..."azAZ09"), (at, char) => {
        fc.pre(text[at] !== char && text[at - 1] !== "\\");
        const changed = JSON.parse(text.slice(0, at) + char + text.slice(at + 1)) as Partial<Inputs>;
        const after = keysOf({ ...inputs, ...changed });
        expect(after.build_key).not.toBe(before.build_key);
        expect(after.verdict_key).not.toBe(before.verdict_key);
        expect(after.test_suite_hash).toBe(before.test_suite_hash);
      }),
      { numRuns: 300 },
    );
  });
});
