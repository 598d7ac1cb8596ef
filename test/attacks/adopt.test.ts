import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseOriginal } from "../../src/adopt/original.ts";
import { differencesOf } from "../../src/adopt/prove.ts";
import { factory, temporaryFolder, treeOf, writeFiles } from "../unit/workspace.ts";

const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("adopt", { timeout: 120_000 }, () => {
  it.each<[string, string, (path: string) => void]>([
    ["a pipe", "FILE_UNREADABLE", (path) => void execFileSync("mkfifo", [path])],
    ["a folder", "FILE_UNREADABLE", (path) => mkdirSync(path)],
    ["a device", "FILE_UNREADABLE", (path) => symlinkSync("/dev/zero", path)],
    ["a link to itself", "FILE_UNREADABLE", (path) => symlinkSync("Dockerfile", path)],
    ["nothing", "FILE_MISSING", () => undefined],
  ])("8.11 a Dockerfile that is %s is a finding, and nothing is written", (_, code, make) => {
    const root = temporaryFolder();
    make(join(root, "Dockerfile"));
    const { status, stdout } = factory(root, ["adopt", "Dockerfile", "--json"]);
    expect(status).toBe(2);
    expect(json(stdout)).toMatchObject({ error: { code } });
    expect(existsSync(join(root, "factory-workspace"))).toBe(false);
  });

  it("8.11 a context gives only its own files: no links out, no pipes, nothing above it", () => {
    const root = temporaryFolder();
    writeFiles(root, {
      "secret.txt": "not yours\n",
      "app/Dockerfile":
        "FROM scratch\nCOPY . /app\nCOPY ../secret.txt /a\nCOPY out /b\nCOPY up/secret.txt /c\n",
      "app/own.txt": "own\n",
    });
    symlinkSync("../secret.txt", join(root, "app/out"));
    symlinkSync("/etc/passwd", join(root, "app/passwd"));
    symlinkSync("..", join(root, "app/up"));
    symlinkSync("own.txt", join(root, "app/in"));
    execFileSync("mkfifo", [join(root, "app/pipe")]);
    const { status, stdout } = factory(root, ["adopt", "app/Dockerfile", "--json"]);
    expect(status).toBe(1);
    const left = (json(stdout).not_carried as { what: string }[]).map(({ what }) => what);
    for (const one of ["COPY ../secret.txt /a", "out", "passwd", "pipe", "up", "up/secret.txt"])
      expect(left).toContain(one);
    const tree = treeOf(join(root, "factory-workspace/sources/app"));
    expect(tree.match(/^\S+/gm)).toEqual(["./", "Dockerfile", "in", "own.txt"]);
  });

  it("8.11 what a Dockerfile says stays text, whatever it looks like", () => {
    const root = temporaryFolder();
    const lines = [
      "FROM scratch",
      "LABEL a='{{#each args}}{{this}}{{/each}}' b='{{{constructor}}}' c='\\{{labels}}' d='{{!--'",
      '# {{file "/etc/passwd"}} {{> partial}}',
      'ENV E="{{lookup . "x"}}" F=\'}}\' G="\\\\{{x}}"',
      'CMD ["{{slot \'steps\'}}", "*/ # : - & ! | > \' %@`"]',
    ];
    writeFiles(root, { "&a: '#'/Dockerfile": `${lines.join("\n")}\n` });
    const made = factory(root, ["adopt", "&a: '#'/Dockerfile", "--out", "ws"]);
    expect(made.status, made.stdout + made.stderr).toBe(0);
    const stitched = factory(join(root, "ws"), ["stitch", "--manifest-id", "a", "-o", "-"]).stdout;
    for (const line of lines.slice(1)) expect(stitched.split("\n")).toContain(line);
    expect(factory(join(root, "ws"), ["validate"]).status).toBe(0);
  });

  it("8.11 nothing is overwritten, neither a workspace nor a single file", () => {
    const root = temporaryFolder();
    writeFiles(root, {
      Dockerfile: "FROM scratch\nCMD a\n",
      "one/factory.yaml": "schema_version: 1\n",
      "two/.gitignore": "mine\n",
      three: "a file\n",
    });
    symlinkSync("/nowhere", join(root, "four"));
    const before = treeOf(root);
    for (const out of ["one", "two", "three", "four"]) {
      const { status } = factory(root, ["adopt", "Dockerfile", "--out", out]);
      expect([2, 3]).toContain(status);
    }
    expect(treeOf(root)).toBe(before);
    expect(readFileSync(join(root, "two/.gitignore"), "utf8")).toBe("mine\n");
  });

  it("8.11 a control character, and text that is not UTF-8, are findings with a line", () => {
    const root = temporaryFolder();
    writeFiles(root, { a: "FROM scratch\nLABEL a=\u0001x\u0002\n" });
    execFileSync("sh", ["-c", "printf 'FROM scratch\\nLABEL a=\\377\\n' > b"], { cwd: root });
    const { status, stdout } = factory(root, ["adopt", "a", "b", "--json"]);
    expect(status).toBe(2);
    const { findings } = json(stdout);
    expect(findings).toMatchObject([
      { code: "DOCKERFILE_INVALID", where: { file: "a", line: 2 } },
      { code: "DOCKERFILE_INVALID", where: { file: "b" } },
    ]);
  });

  const SOUND = `FROM golang:1 AS build
ARG V=1
COPY a b /src/
RUN --mount=type=cache,target=/c go build

FROM debian:bookworm-slim
COPY --from=build --chown=1 /out /bin
RUN <<EOF
one
EOF
CMD ["a"]
ENTRYPOINT ["b"]
`;
  const terms = { platform: null, context: null };
  const differences = (other: string) =>
    differencesOf({ read: parseOriginal("a", SOUND), terms }, { read: parseOriginal("b", other), terms });

  it.each<[string, (text: string) => string]>([
    ["another image", (text) => text.replace("golang:1 ", "golang:2 ")],
    ["another base", (text) => text.replace("bookworm-slim", "trixie-slim")],
    ["another default", (text) => text.replace("V=1", "V=2")],
    ["another file", (text) => text.replace("COPY a b", "COPY a c")],
    ["another order of files", (text) => text.replace("COPY a b", "COPY b a")],
    ["a flag less", (text) => text.replace(" --chown=1", "")],
    ["another mount", (text) => text.replace("target=/c", "target=/d")],
    ["another line of a here-document", (text) => text.replace("\none\n", "\ntwo\n")],
    ["a step less in a builder", (text) => text.replace("RUN --mount=type=cache,target=/c go build\n", "")],
    ["a step more", (text) => `${text}USER a\n`],
    ["another order", (text) => text.replace('CMD ["a"]\nENTRYPOINT ["b"]', 'ENTRYPOINT ["b"]\nCMD ["a"]')],
    [
      "a stage in between that forgets the CMD",
      (text) => text.replace("ENTRYPOINT", "FROM last\nENTRYPOINT").replace("slim\n", "slim AS last\n"),
    ],
    ["a file of an image in place of a stage", (text) => text.replace("--from=build", "--from=builds")],
    ["a platform", (text) => text.replace("FROM debian", "FROM --platform=linux/arm64 debian")],
    ["another case of a word", (text) => text.replace("go build", "go Build")],
  ])("8.11 a proof notices %s", (_, change) => {
    expect(differences(SOUND)).toEqual([]);
    expect(change(SOUND)).not.toBe(SOUND);
    expect(differences(change(SOUND))).not.toEqual([]);
  });

  it("8.11 a proof takes names and splits of stages for what they are", () => {
    const other = SOUND.replaceAll("build", "other")
      .replace("go other", "go build")
      .replace("RUN <<EOF", "FROM x AS y\nrun <<EOF")
      .replace("FROM debian:bookworm-slim", "FROM debian:bookworm-slim AS x");
    expect(differences(other)).toEqual([]);
  });
});
