import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Adopted, adopt } from "../../src/adopt/adopt.ts";
import { dockerIgnored } from "../../src/adopt/docker-ignore.ts";
import { escapeHandlebars } from "../../src/adopt/escape.ts";
import { idsOf } from "../../src/adopt/ids.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { compileTemplate } from "../../src/stitch/compile-template.ts";
import { withoutMarks } from "../../src/stitch/dockerfile.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, factory, type Files, findingsFrom, temporaryFolder, writeFiles } from "./workspace.ts";

/** Adopts Dockerfiles of a temporary folder. Call it inside a test. */
function adoptIn(files: Files, names = Object.keys(files).filter((path) => path.includes("Dockerfile"))) {
  const root = temporaryFolder();
  writeFiles(root, files);
  const dockerfiles = names.map((file) => ({ file, path: join(root, file) }));
  const out = join(root, "out");
  const adopted = adopt({ dockerfiles, context: null, out });
  return { adopted, root, out };
}

const carried = ({ proof, notCarried }: Adopted) => ({ same: proof.map(({ same }) => same), notCarried });
const WHOLE = { same: [true], notCarried: [] };
const stitched = (out: string, id: string): string => stitch(openCatalog(out), id).unlabelled;

describe("a Dockerfile that is adopted", () => {
  it("may have CRLF, a BOM, tabs, keywords in lower case and comments inside of instructions", () => {
    const text = "\ufefffrom scratch\r\nrun a \\\r\n# b\r\n\r\n\tc\r\nRUN <<X\r\none\r\nX\r\nlabel a=1\r\n";
    const { adopted, out } = adoptIn({ "a/Dockerfile": text });
    expect(carried(adopted)).toEqual(WHOLE);
    // A here-document keeps its carriage returns: they get into the image.
    expect(stitched(out, "a")).toContain("run a \\\n# b\n\n\tc\nRUN <<X\none\r\nX");
    expect(stitched(out, "a")).toContain("\nlabel a=1\n");
  });

  it("may have an ARG in front of FROM, whose default goes where it is used", () => {
    const text =
      'ARG TAG=3.20\nARG BASE="alpine:${TAG}"\nARG NAME="a b"\nFROM ${BASE:-x} AS one\nARG TAG\nARG NAME OTHER\nRUN a\n';
    const { adopted, out } = adoptIn({ "a/Dockerfile": text });
    expect(carried(adopted)).toEqual(WHOLE);
    expect(adopted.manifests).toMatchObject([{ base: "alpine:3.20" }]);
    expect(adopted.fragments.flatMap(({ args }) => args)).toEqual([{ name: "tag", default: "3.20" }]);
    expect(stitched(out, "a")).toContain('ARG TAG=3.20\nARG NAME="a b" OTHER\n');
  });

  it("keeps a CMD and the ENTRYPOINT behind it in one stage, and all from an ONBUILD on", () => {
    const { adopted, out } = adoptIn({
      "a/Dockerfile": "FROM scratch\nCMD a\nCOPY Dockerfile /\nENTRYPOINT b\nRUN c\nONBUILD RUN d\nUSER 1\n",
    });
    expect(carried(adopted)).toEqual(WHOLE);
    const text = stitched(out, "a");
    expect(text).toMatch(/CMD a\nCOPY sources\/a\/Dockerfile \/\nENTRYPOINT b\n/);
    expect(text).toMatch(/ONBUILD RUN d\nUSER 1\n/);
  });

  it("gives an argument for what differs, and its value to each manifest", () => {
    const of = (version: string, port: number) =>
      `FROM debian:bookworm-slim\nENV NODE_VERSION=${version}\nRUN get https://x.invalid/v${version}/node-${version}.tar\nEXPOSE ${port}\nRUN same 1.2.3\n`;
    const { adopted, out } = adoptIn({
      "x/Dockerfile": of("22.1.0", 80),
      "y/Dockerfile": of("24.0.0rc1", 8080),
    });
    expect(carried(adopted)).toEqual({ same: [true, true], notCarried: [] });
    expect(adopted.fragments).toHaveLength(1);
    expect(adopted.fragments[0]?.args).toEqual([{ name: "node_version" }, { name: "port" }]);
    expect(adopted.fragments[0]?.body).toContain(
      "v{{args.node_version}}/node-{{args.node_version}}.tar\nEXPOSE {{args.port}}\nRUN same 1.2.3\n",
    );
    expect(stitched(out, "y")).toContain("node-24.0.0rc1.tar\nEXPOSE 8080\n");
  });

  it("shares the beginning that it has in common with others, and has the rest for itself", () => {
    const { adopted } = adoptIn({
      "x/Dockerfile": "FROM scratch\nRUN a\nRUN b\nRUN x\n",
      "y/Dockerfile": "FROM scratch\nRUN a\nRUN b\nCOPY Dockerfile /\nRUN y\n",
    });
    expect(carried(adopted).same).toEqual([true, true]);
    expect(adopted.fragments.map(({ summary, body }) => [summary, body])).toEqual([
      ["Shared by 2 images", "RUN a\nRUN b\n"],
      ["Of x", "RUN x\n"],
      ["Of y", 'COPY {{source "app"}}/Dockerfile /\nRUN y\n'],
    ]);
  });

  it("gives its context as a source, as .dockerignore leaves it", () => {
    const { adopted, out } = adoptIn({
      "a/Dockerfile": "FROM scratch\nCOPY . /app\nCOPY missing.txt /\nRUN --mount=target=/src ls\n",
      "a/.dockerignore": "**/node_modules\n*.log\n!keep.log\n",
      "a/src/[x].js": "x\n",
      "a/src/node_modules/y.js": "y\n",
      "a/a.log": "a\n",
      "a/keep.log": "keep\n",
      "a/.git/HEAD": "ref\n",
    });
    expect(adopted.written.filter((path) => path.startsWith("sources/"))).toEqual(
      ["Dockerfile", ".dockerignore", "keep.log", "src/[x].js"].map((path) => `sources/a/${path}`).sort(),
    );
    expect(carried(adopted)).toMatchObject({
      same: [true],
      notCarried: [{ file: "a/Dockerfile", line: 3, what: "missing.txt" }],
    });
    expect(stitched(out, "a")).toContain("--mount=target=/src,source=sources/a ls");
  });

  it.each([
    [".", "services/web", "COPY services/web/a.txt /\nCOPY services/web /app"],
    ["services/web", ".", "COPY ./a.txt /\nCOPY . /app"],
  ])("leaves its context where it is if that is in the workspace's folder: %s", (folder, path, expected) => {
    const root = temporaryFolder();
    writeFiles(root, {
      "services/web/Dockerfile": "FROM scratch\nCOPY a.txt /\nCOPY . /app\n",
      "services/web/.dockerignore": "node_modules\n**/*.log\n!keep.log\n!deep/keep\n",
      "services/web/a.txt": "a\n",
      "services/web/node_modules/x.js": "x\n",
    });
    const out = join(root, folder);
    const dockerfile = join(root, "services/web/Dockerfile");
    const adopted = adopt({ dockerfiles: [{ file: "D", path: dockerfile }], context: null, out });
    expect(adopted.proof.map(({ same }) => same)).toEqual([true]);
    expect(adopted.notCarried.map(({ what }) => what)).toEqual(["!deep/keep of its .dockerignore"]);
    expect(adopted.written.filter((one) => one.startsWith("sources"))).toEqual([]);
    const { document } = openCatalog(out).manifest("web");
    expect(document.sources?.app).toMatchObject({ path });
    expect(document.sources?.app?.ignore?.slice(-4)).toEqual([
      "/node_modules",
      "**/*.log",
      "!/keep.log",
      "!/deep/keep",
    ]);
    expect(stitched(out, "web")).toContain(expected);
    const { contents } = stitch(openCatalog(out), "web");
    const files = contents.flatMap(({ pieces }) => pieces.map((one) => Buffer.from(one).toString()));
    expect(files.join("")).toContain('"a.txt"');
    expect(files.join("")).not.toMatch(/node_modules|manifests|factory/);
  });

  it("is fast with 5,000 lines, and says nothing else", () => {
    const lines = Array.from({ length: 5000 }, (_, at) =>
      at % 3 === 0 ? `ENV A_${at}=${at}` : `RUN echo ${at}`,
    );
    const { adopted, out } = adoptIn({ "a/Dockerfile": `FROM scratch\n${lines.join("\n")}\n` });
    expect(carried(adopted)).toEqual(WHOLE);
    expect(adopted.fragments.length).toBeLessThan(5);
    expect(
      stitched(out, "a")
        .split("\n")
        .filter((line) => /^(ENV|RUN) /.test(line)),
    ).toEqual(lines);
  }, 60_000);

  it.each<[string, string, number, string]>([
    [
      "a platform of the builder",
      "FROM --platform=$BUILDPLATFORM golang:1 AS b\nFROM scratch\nCOPY --from=b /a /b\n",
      1,
      "--platform",
    ],
    ["a stage that nothing uses", "FROM a AS test\nRUN t\nFROM b\nRUN x\n", 1, "the stage test"],
    ["ONBUILD of files", "FROM scratch\nONBUILD COPY . /x\n", 2, "ONBUILD COPY . /x"],
    ["a path that leads out", "FROM scratch\nRUN a\nCOPY ../a /x\n", 3, "COPY ../a /x"],
    [
      "an image that is a variable",
      "FROM scratch\nARG I=x\nCOPY --from=$I /a /b\n",
      3,
      "COPY --from=$I /a /b",
    ],
    ["a secret that is none", "FROM scratch\nARG NPM_TOKEN\nRUN a\n", 2, "ARG NPM_TOKEN"],
  ])("lists with its line what it does not carry: %s", (_, text, line, what) => {
    const { adopted } = adoptIn({ "a/Dockerfile": text });
    const [first, ...rest] = adopted.notCarried;
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ file: "a/Dockerfile", line });
    expect(first?.what).toContain(what);
  });

  it("says in its proof what is missing, and where", () => {
    const { adopted } = adoptIn({ "a/Dockerfile": "FROM scratch\nRUN a\nCOPY ../a /x\nRUN b\n" });
    expect(adopted.proof).toMatchObject([
      { same: false, differences: [{ line: 3, dockerfile: "COPY ../a /x", stitched: null }] },
    ]);
  });

  it("has the platform that its FROM names", () => {
    const { adopted, out } = adoptIn({
      "a/Dockerfile": "FROM --platform=linux/arm64 debian:bookworm-slim\nRUN a\n",
    });
    expect(carried(adopted)).toEqual(WHOLE);
    expect(readFileSync(join(out, "manifests/a.yaml"), "utf8")).toContain("- linux/arm64");
  });
});

describe("a Dockerfile that cannot be read", () => {
  it.each<[string, string, number]>([
    ["an unknown instruction", "FROM scratch\nRUM a\n", 2],
    ["a here-document without an end", "FROM scratch\nRUN <<E\na\n", 2],
    ["no FROM", "RUN a\n", 1],
    ["nothing at all", "", 1],
    ["an image without a default", "ARG X\nFROM $X\n", 2],
    ["words behind FROM", "FROM a b\n", 1],
    ["another escape character", "# escape=`\nFROM a\n", 1],
    ["an instruction without words", "FROM a\nRUN\n", 2],
    ["a control character", "FROM a\nRUN \u0007\n", 2],
  ])("is a finding with its line: %s", (_, text, line) => {
    const [first] = findingsFrom(() => adoptIn({ "a/Dockerfile": text, "b/Dockerfile": "FROM scratch\n" }));
    expect(first).toMatchObject({ code: "DOCKERFILE_INVALID", where: { file: "a/Dockerfile", line } });
  });

  it("is named together with the others", () => {
    const error = errorFrom(() => adoptIn({ "a/Dockerfile": "RUN", "b/Dockerfile": "FRO x\n" }));
    expect(new Set(error.findings?.map(({ where }) => where?.file))).toEqual(
      new Set(["a/Dockerfile", "b/Dockerfile"]),
    );
  });
});

describe("ids", () => {
  it("come from folders and files, and are told apart by folders above", () => {
    const of = (...paths: string[]) => idsOf(paths.map((path) => `/r/${path}`));
    expect(of("services/billing/Dockerfile")).toEqual(["billing"]);
    expect(of("x/Dockerfile.alpine", "x/Dockerfile", "y.Dockerfile")).toEqual(["x-alpine", "x", "y"]);
    expect(of("3.12/slim/Dockerfile", "3.13/slim/Dockerfile", "3.13/alpine/Dockerfile")).toEqual([
      "3-12-slim",
      "3-13-slim",
      "alpine",
    ]);
    expect(of("a/X/Dockerfile", "a/x/Dockerfile")).toEqual(["r-a-x", "r-a-x-2"]);
    expect(of("Größe/Dockerfile")).toEqual(["gr-e"]);
  });
});

describe("escapeHandlebars", () => {
  it.each([
    "{{",
    "{{{",
    "{{{{{{{",
    "a{{b}}",
    "\\{{a}}",
    "\\\\{{a}}",
    "\\\\\\{{{a}}}",
    "{{a}}{{b}}\\{{c}}{{",
    "{{!-- {{",
    "\n{{#if x}}\n",
    "{\\{{",
    "{ {",
  ])("gives %j again", (text) => {
    const render = compileTemplate("x", `<${escapeHandlebars(text)}>`, {
      roots: {},
      helpers: {},
      kinds: new Map(),
      flags: new Set(),
    });
    expect(withoutMarks(render({}, {}))).toBe(`<${text}>`);
  });
});

describe("dockerIgnored", () => {
  it("is what Docker says", () => {
    const ignored = dockerIgnored("# c\n/a\nb/*\n!b/keep\n**/c\nd?\n*.md\n!README.md\ne/\n[xy]z\n");
    const paths = [
      "a",
      "x/a",
      "b/1",
      "b/keep",
      "q/c",
      "c/deep/er",
      "d1",
      "d12",
      "k.md",
      "README.md",
      "q/k.md",
      "e/f",
      "xz",
      "zz",
    ];
    expect(paths.filter(ignored)).toEqual(["a", "b/1", "q/c", "c/deep/er", "d1", "k.md", "e/f", "xz"]);
  });
});

describe("factory adopt", { timeout: 60_000 }, () => {
  it("works outside of a workspace, and says what it did as JSON", () => {
    const root = temporaryFolder();
    writeFiles(root, { Dockerfile: "FROM scratch\nARG A=1\nCMD b\n" });
    writeFileSync(join(root, "mail.Dockerfile"), "FROM scratch\nADD https://x.invalid/a /\n");
    const { status, stdout } = factory(root, ["adopt", "Dockerfile", "mail.Dockerfile", "--json"]);
    expect(status).toBe(0);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(result)).toEqual([
      "workspace",
      "manifests",
      "fragments",
      "args",
      "proof",
      "not_carried",
      "notes",
    ]);
    expect(result).toMatchObject({
      workspace: join(root, "factory-workspace"),
      manifests: [{ dockerfile: "Dockerfile" }, { manifest_id: "mail" }],
      args: [{ name: "a", default: "1" }],
      proof: [{ same: true, differences: [] }, { same: true }],
      not_carried: [],
      notes: [expect.stringContaining("mail.Dockerfile:2")],
    });
    expect(factory(join(root, "factory-workspace"), ["validate"]).status).toBe(0);
    expect(factory(root, ["adopt", "Dockerfile", "./Dockerfile"]).status).toBe(2);
    expect(factory(root, ["adopt", "Dockerfile", "--context", "nowhere", "--out", "x"]).status).toBe(2);
    expect(factory(root, ["adopt"]).status).toBe(2);
  });
});
