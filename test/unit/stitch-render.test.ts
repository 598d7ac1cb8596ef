import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, makeCatalog, makeWorkspace, SMALL } from "./workspace.ts";

const APP = "fragments/app/0.1.0/Dockerfile.hbs";
const TEMPLATE = "templates/plain/0.1.0/Dockerfile.hbs";
const withApp = (text: string) => stitch(makeCatalog({ [APP]: text }), "demo").dockerfile;
const withTemplate = (change: (text: string) => string) =>
  stitch(makeCatalog({ [TEMPLATE]: change(SMALL[TEMPLATE] ?? "") }), "demo").dockerfile;

describe("render", () => {
  it("writes a stage for each fragment on top of the one before, and leaves out an empty slot", () => {
    const lines = withApp("RUN app\n").split("\n");
    expect(lines.slice(0, 11)).toEqual([
      "FROM debian:bookworm-slim AS base",
      "",
      "FROM base AS core",
      "RUN install --fast python3",
      "",
      "FROM core AS app",
      "RUN app",
      "",
      "FROM app AS image",
      'LABEL io.factory.fragments="core@0.1.1,app@0.1.0" \\',
      '      io.factory.manifest-id="demo" \\',
    ]);
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^LABEL io\.factory\.recipe-key="sha256:[a-f0-9]{64}"$/),
      "",
    ]);
  });

  it("pins the base where its digest is known", () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const { dockerfile, base, labels } = stitch(makeCatalog(), "demo", {}, { digestOf: () => digest });
    expect(dockerfile).toContain(`FROM debian:bookworm-slim@${digest} AS base`);
    expect(base).toEqual({ ref: "debian:bookworm-slim", digest });
    expect(labels["org.opencontainers.image.base.digest"]).toBe(digest);
  });

  it("leaves blank lines alone, which may be part of a file", () => {
    expect(withApp("RUN <<EOF\na\n\n\n\nb\nEOF\n")).toContain("RUN <<EOF\na\n\n\n\nb\nEOF\n");
  });

  it("lets the declared files alone into the build", () => {
    const { dockerignore } = stitch(makeCatalog(), "demo");
    expect(dockerignore).toBe("*\n!fragments/app/0.1.0/data\n!fragments/app/0.1.0/server.py\n");
  });

  it.each([
    ["FROM debian\n", "TEMPLATE_INSTRUCTION", "a build stage of its own"],
    ["RUN a\n  from debian AS x\n", "TEMPLATE_INSTRUCTION", "a build stage of its own"],
    ["RUN a \\\n", "TEMPLATE_INSTRUCTION", "the last line ends in"],
    ["RUN <<EOF\nx\n", "TEMPLATE_INSTRUCTION", "no line `EOF` ends"],
    ["RUN \u0001\n", "TEMPLATE_SYNTAX", "control character"],
    ["RUN {{args.prot}}\n", "ARG_UNDECLARED", "args.prot"],
    ["RUN {{args}}\n", "ARG_UNDECLARED", "args"],
    ["RUN {{args.port.x}}\n", "ARG_UNDECLARED", "args.port.x"],
    ["RUN {{base}}\n", "TEMPLATE_HELPER", "base"],
    ["RUN {{shell args.port}}\n", "TEMPLATE_HELPER", "shell"],
    ["RUN {{sh}}\n", "TEMPLATE_SYNTAX", "takes 1 parameter"],
    ["RUN {{sh args.port args.name}}\n", "TEMPLATE_SYNTAX", "takes 1 parameter"],
    ["RUN {{sh args.port a=1}}\n", "TEMPLATE_SYNTAX", "named parameters"],
    ["RUN {{{args.port}}}\n", "TEMPLATE_SYNTAX", "{{{"],
    ["RUN {{&args.port}}\n", "TEMPLATE_SYNTAX", "{{&"],
    ["RUN {{> partial}}\n", "TEMPLATE_SYNTAX", "partials"],
    ['{{#*inline "a"}}x{{/inline}}\n', "TEMPLATE_SYNTAX", "partials and decorators"],
    ["{{#each args}}x{{/each}}\n", "ARG_UNDECLARED", "args"],
    ["{{#each args.port}}x{{/each}}\n", "TEMPLATE_SYNTAX", "is one value"],
    ["{{#with args}}x{{/with}}\n", "TEMPLATE_HELPER", "with"],
    ["{{lookup args 'port'}}\n", "TEMPLATE_HELPER", "lookup"],
    ["{{log 'x'}}\n", "TEMPLATE_HELPER", "log"],
    ["RUN {{@root.args.port}}\n", "TEMPLATE_SYNTAX", "not part of the template language"],
    ["RUN {{../args.port}}\n", "TEMPLATE_SYNTAX", "not part of the template language"],
    ["RUN {{this.args.port}}\n", "TEMPLATE_SYNTAX", "not part of the template language"],
    ["RUN {{args.__proto__}}\n", "ARG_UNDECLARED", "__proto__"],
    ["RUN {{constructor}}\n", "TEMPLATE_HELPER", "constructor"],
    ["RUN {{args.constructor}}\n", "ARG_UNDECLARED", "constructor"],
    ["RUN {{'x'}}\n", "TEMPLATE_SYNTAX", "needs no braces"],
    ["RUN {{sh (sh args.port)}}\n", "TEMPLATE_HELPER", "inside parentheses"],
    ["{{#if args.port}}\nRUN a\n", "TEMPLATE_SYNTAX", "Handlebars cannot read this"],
    ["RUN {{args.port}\n", "TEMPLATE_SYNTAX", "Handlebars cannot read this"],
    ["{{#if args.port}}x{{/unless}}\n", "TEMPLATE_SYNTAX", "Handlebars cannot read this"],
    ['COPY {{file "none.py"}} /\n', "FILE_MISSING", "none.py"],
    ['COPY {{file "../../core/0.1.0/Dockerfile.hbs"}} /\n', "FILE_OUTSIDE", "not the name of a file"],
    ['COPY {{file "/etc/passwd"}} /\n', "FILE_OUTSIDE", "not the name of a file"],
    ['COPY {{file "a b"}} /\n', "FILE_OUTSIDE", "not the name of a file"],
    ['COPY {{file "."}} /\n', "FILE_OUTSIDE", "not the name of a file"],
    ["COPY {{file args.name}} /\n", "TEMPLATE_SYNTAX", "a text in quotes"],
    ["{{labels}}\n", "TEMPLATE_HELPER", "labels"],
    ['{{slot "core"}}\n', "TEMPLATE_HELPER", "slot"],
  ])("refuses a fragment's %j", (text, code, what) => {
    const error = errorFrom(() => withApp(`USER 1\n${text}`));
    expect(error).toMatchObject({ code, exitCode: 2, where: { file: APP } });
    expect(error.message).toContain(what);
    expect(error.fix).toBeTruthy();
  });

  it("names the line and column of what it refuses", () => {
    const at = (text: string) => errorFrom(() => withApp(text)).where;
    expect(at("RUN a\nRUN {{shell args.port}}\n")).toEqual({ file: APP, line: 2, col: 5 });
    expect(at("RUN a\nCOPY {{file 'x'}} /\n")).toEqual({ file: APP, line: 2, col: 6 });
    expect(at("RUN a\n\nRUN {{args.port\n")).toMatchObject({ file: APP, line: 3 });
  });

  it.each([
    ["no base stage", (text: string) => text.replace(" AS base", ""), "does not start with its base stage"],
    [
      "a base of its own",
      (text: string) => text.replace("{{base}}", "alpine"),
      "does not start with its base stage",
    ],
    ["a slot left out", (text: string) => text.replace('{{slot "extra"}}', ""), "does not use it"],
    ["a slot twice", (text: string) => text.replace('"extra"', '"core"'), "occurs twice"],
    [
      "slots in another order",
      (text: string) => text.replace('"core"', '"app"').replace(/"app"(?=}}\n\nFROM)/, '"core"'),
      "another order",
    ],
    ["no labels", (text: string) => text.replace("{{labels}}", ""), "occurs 0 times"],
    ["labels twice", (text: string) => `${text}{{labels}}\n`, "occurs 2 times"],
    [
      "labels in a comment",
      (text: string) => text.replace("{{labels}}", "# {{labels}}"),
      "on a line of its own",
    ],
    [
      "labels before the last stage",
      (text: string) =>
        text.replace(/FROM {{last}} AS image\n{{labels}}/, "{{labels}}\nFROM {{last}} AS image"),
      "is not in the last stage",
    ],
    [
      "a slot in a comment",
      (text: string) => text.replace('{{slot "core"}}', '# {{slot "core"}}'),
      "is not on a line of its own",
    ],
    [
      "a slot behind a backslash",
      (text: string) => text.replace('\n\n{{slot "core"}}', '\nRUN a \\\n{{slot "core"}}'),
      "is not on a line of its own",
    ],
    ["another escape character", (text: string) => `# a=b\n# ESCAPE = \`\n${text}`, "escape character"],
  ])("refuses a template with %s", (_, change, what) => {
    const error = errorFrom(() => withTemplate(change));
    expect(error).toMatchObject({ code: "TEMPLATE_INSTRUCTION", where: { file: TEMPLATE } });
    expect(error.message).toContain(what);
  });

  it("refuses a slot that template.yaml does not declare", () => {
    const error = errorFrom(() => withTemplate((text) => text.replace('"extra"', '"extras"')));
    expect(error).toMatchObject({ code: "SLOT_UNKNOWN", where: { file: TEMPLATE, line: 5, col: 1 } });
  });
});

describe("files of a fragment", () => {
  const refused = (prepare: (root: string) => void, name = "data") => {
    const root = makeWorkspace({ [APP]: `COPY {{file "${name}"}} /\n` });
    prepare(root);
    return errorFrom(() => stitch(openCatalog(root), "demo"));
  };
  const at = (root: string, path: string) => join(root, "fragments/app/0.1.0", path);

  it("refuses links, wherever they lead", () => {
    expect(refused((root) => symlinkSync("a.txt", at(root, "data/link")))).toMatchObject({
      code: "FILE_UNREADABLE",
    });
    expect(refused((root) => symlinkSync("/etc", at(root, "data/link")))).toMatchObject({
      code: "FILE_UNREADABLE",
    });
    expect(refused((root) => symlinkSync("/etc", at(root, "link")), "link/hostname")).toMatchObject({
      code: "FILE_OUTSIDE",
    });
    expect(refused((root) => symlinkSync("/etc/hostname", at(root, "link")), "link")).toMatchObject({
      code: "FILE_UNREADABLE",
    });
  });

  it("refuses names that mean something in a Dockerfile", () => {
    const error = refused((root) => mkdirSync(at(root, "data/$x")));
    expect(error).toMatchObject({ code: "FILE_UNREADABLE", where: { file: APP, line: 1, col: 6 } });
  });

  it("counts whether files are executable, and empty folders, as part of the image", () => {
    const root = makeWorkspace();
    const key = () => stitch(openCatalog(root), "demo").build_key;
    const keys = [key()];
    chmodSync(at(root, "data/a.txt"), 0o755);
    keys.push(key());
    mkdirSync(at(root, "data/empty"));
    keys.push(key());
    expect(new Set(keys).size).toBe(3);
  });
});
