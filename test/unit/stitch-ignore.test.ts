import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { listed } from "../../src/files/listing.ts";
import { FactoryError } from "../../src/errors.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { makeWorkspace, SMALL } from "./workspace.ts";

const MANIFEST = "manifests/demo.yaml";
/** How many trees are tried; each costs three programs. */
const RUNS = 60;

const hasGit = spawnSync("git", ["--version"]).status === 0;

/** ASCII alone: to git `?` is a byte, and to Docker and the library it is a character. */
const NAMES = [
  "a",
  "b",
  "ab",
  "a.log",
  "B",
  "[slug].tsx",
  "with space",
  "#x",
  "!y",
  "a*",
  ".dot",
  "x^$y",
  "node_modules",
];
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "a.log") },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const segment = fc.oneof(
  { weight: 4, arbitrary: name.map((text) => text.replace(/[[\]*\\]/g, "\\$&").replace(/^[#!]/, "\\$&")) },
  { weight: 3, arbitrary: fc.constantFrom("*", "a*", "*.log", "**", "?", "[ab]", "[!a]", "*b") },
);
const line = fc
  .tuple(
    fc.nat(3).map((one) => one === 0),
    fc.nat(3).map((one) => one === 0),
    fc.oneof(
      { weight: 3, arbitrary: segment.map((one) => [one]) },
      { weight: 1, arbitrary: fc.array(segment, { minLength: 2, maxLength: 3 }) },
    ),
    fc.boolean(),
  )
  .map(([negated, rooted, parts, folder]) => {
    const body = `${rooted ? "/" : ""}${parts.join("/")}${folder ? "/" : ""}`;
    return `${negated ? "!" : ""}${body}`;
  });
const tree = fc.record({
  files: fc.uniqueArray(path, { minLength: 4, maxLength: 14 }),
  ignores: fc.array(
    fc.tuple(fc.constantFrom("", "a", "b", "a/b", "[slug].tsx"), fc.array(line, { maxLength: 4 })),
    {
      maxLength: 3,
    },
  ),
  own: fc.oneof(fc.constant([]), fc.array(line, { maxLength: 3 })),
  above: fc.array(line, { maxLength: 3 }),
});

/** Writes what fits into a tree: a file is not a folder too. */
function write(
  root: string,
  { files, ignores, above }: typeof tree extends fc.Arbitrary<infer T> ? T : never,
): void {
  const put = (file: string, text: string) => {
    try {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    } catch {
      // It is a folder already, or lies below a file.
    }
  };
  for (const file of files) put(`app/web/${file}`, file);
  for (const [folder, lines] of ignores) put(join("app/web", folder, ".gitignore"), lines.join("\n"));
  put(".gitignore", above.join("\n"));
}

const workspaceOf = (own: readonly string[]) =>
  makeWorkspace({
    [MANIFEST]: `${SMALL[MANIFEST]}sources: {app: {path: app/web, from_gitignore: true, ignore: ${JSON.stringify(own)}}}\n`,
    "fragments/app/0.1.0/Dockerfile.hbs": 'COPY {{source "app"}} /app\n',
    "app/web/kept": "kept\n",
  });

/** What Docker's own matcher (github.com/moby/patternmatcher) lets in, in its own words: the original, rewritten. */
function letIn(dockerignore: string, paths: readonly string[]): string[] {
  const patterns = dockerignore.split("\n").flatMap((raw) => {
    const text = raw.trim();
    if (text === "" || text.startsWith("#")) return [];
    const exclusion = text.startsWith("!");
    let source = "";
    const chars = [...(exclusion ? text.slice(1) : text)];
    for (let at = 0; at < chars.length; at += 1) {
      const char = chars[at] ?? "";
      if (char === "*" && chars[at + 1] === "*") {
        at += 1;
        if (chars[at + 1] === "/") at += 1;
        source += at + 1 >= chars.length ? ".*" : "(.*\\/)?";
      } else if (char === "*") source += "[^/]*";
      else if (char === "?") source += "[^/]";
      else if (".+()|{}$".includes(char)) source += `\\${char}`;
      else if (char === "\\") source += `\\${chars[(at += 1)] ?? ""}`;
      else source += char;
    }
    // Go takes any escaped sign for itself; JavaScript does so without the flag u.
    return [{ exclusion, regex: new RegExp(`^${source}$`) }];
  });
  const known = new Map<string, boolean[]>();
  const matchedOf = (one: string): { excluded: boolean; matched: boolean[] } => {
    const parent = one.includes("/") ? matchedOf(one.slice(0, one.lastIndexOf("/"))).matched : undefined;
    let excluded = false;
    const matched = patterns.map(({ exclusion, regex }, at) => {
      let match = parent?.[at] ?? false;
      if (!match) {
        if (exclusion !== excluded) return false;
        match = regex.test(one);
      }
      if (match) excluded = !exclusion;
      return match;
    });
    known.set(one, matched);
    return { excluded, matched };
  };
  return paths.filter((one) => !matchedOf(one).excluded);
}

/** All files below a folder, from the root, as `find` sees them. */
const filesIn = (root: string): string[] =>
  spawnSync("find", ["app", "-type", "f", "-print0"], { cwd: root, encoding: "utf8" })
    .stdout.split("\0")
    .filter((one) => one !== "")
    .sort();

describe("what is left out of a source", { timeout: 300_000 }, () => {
  it("is what git ignores, and the Dockerfile.dockerignore lets in exactly the rest", (context) => {
    context.skip(!hasGit, "git is not installed");
    const count = { compared: 0, ignored: 0, refused: 0 };
    fc.assert(
      fc.property(tree, (made) => {
        const root = workspaceOf(made.own);
        write(root, made);
        let stitched;
        try {
          stitched = stitch(openCatalog(root), "demo");
        } catch (error) {
          if (!(error instanceof FactoryError) || error.code !== "SOURCE_INVALID") throw error;
          count.refused += 1; // Nothing was left.
          return;
        }
        const [source] = stitched.contents;
        if (!source) throw new Error("there is no source");
        const declared = [...listed(source.path, source)]
          .map((one) => one.path)
          .filter((one) => !one.endsWith("/"))
          .sort();
        const all = filesIn(root);
        expect(letIn(stitched.dockerignore, all).sort()).toEqual(declared);
        if (made.own.length > 0) return;
        const git = (...argv: string[]) =>
          spawnSync("git", ["-c", "core.excludesFile=/dev/null", "-c", "core.ignoreCase=false", ...argv], {
            cwd: root,
            encoding: "utf8",
          });
        git("init", "-q");
        const { stdout } = git("ls-files", "-z", "-o", "--exclude-per-directory=.gitignore", "app");
        expect(declared).toEqual(
          stdout
            .split("\0")
            .filter((one) => one !== "")
            .sort(),
        );
        count.compared += 1;
        count.ignored += all.length - declared.length;
      }),
      { numRuns: RUNS },
    );
    expect(count.compared).toBeGreaterThan(15);
    expect(count.ignored).toBeGreaterThan(10);
  });
});
