import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository } from "./workspace.ts";

/** A file has one idea: at so many lines the second is looked for. */
const MOST_LINES = 250;

/** Longer files, how long each may be, and why it is one idea all the same. */
const LONGER: Record<string, { lines: number; why: string }> = {
  "world.ts": { lines: 320, why: "everything real is wired in one place" },
};

/** Names that two folders may share, since the folder tells what is meant. */
const SHARED: Record<string, string> = {
  attempts: "what the planner asks of records, and the records' answer to that",
  bases: "which bases a plan has, and the digests of them in a run",
  budget: "of an SBOM's time and memory, and of a smoke test's time",
  check: "of documents, and of records",
  choice: "of a shard, and of versions",
  containers: "what smoke tests need of containers, and how the engine is asked",
  explain: "the verb, and why values cannot be combined",
  lock: "the verb, and the document",
  manifest: "what an image is made of, and the list of its layers in the words of OCI",
  open: "of a workspace, and of a search",
  outcome: "of a smoke test, and of a run",
  resolve: "the stage, and what it calls",
  settings: "of a workspace, and of the container of a smoke test",
  smoke: "the verb, the stage, what runs tests, and the words for them",
  sources: "of a lock, and of a recipe",
  table: "of stages, on the screen, and as a format",
  validate: "the verb, and the check of an SBOM",
  verify: "of records, and of a covering array",
};

/** Folders whose files are named after what they call: a verb, a stage, a format. */
const NAMED_AFTER = ["commands/", "pipeline/"];

const sources = readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !path.startsWith("schemas/") && !path.endsWith(".d.ts"))
  .map((path) => ({ path, text: readFileSync(join(repository, "src", path), "utf8") }));

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."));

describe("the house", () => {
  it("has files of one idea", () => {
    expect(sources.length).toBeGreaterThan(200);
    const long = sources.flatMap(({ path, text }) => {
      const lines = text.split("\n").length - 1;
      return lines > (LONGER[path]?.lines ?? MOST_LINES) ? [`${path}: ${lines} lines`] : [];
    });
    expect(long).toEqual([]);
  });

  it("makes an exception only where one is needed", () => {
    const needless = Object.keys(LONGER).filter((path) => {
      const text = sources.find((source) => source.path === path)?.text ?? "";
      return text.split("\n").length - 1 <= MOST_LINES;
    });
    expect(needless).toEqual([]);
    const names = sources.map(({ path }) => nameOf(path));
    const alone = Object.keys(SHARED).filter((name) => names.filter((other) => other === name).length < 2);
    expect(alone).toEqual([]);
  });

  it("has one file of a name, and no rules or context beside another's", () => {
    const places = new Map<string, string[]>();
    for (const { path } of sources) {
      if (NAMED_AFTER.some((folder) => path.startsWith(folder)) || nameOf(path) in SHARED) continue;
      places.set(nameOf(path), [...(places.get(nameOf(path)) ?? []), path]);
    }
    expect([...places.values()].filter((paths) => paths.length > 1)).toEqual([]);
    for (const name of ["rules", "context"])
      expect(sources.filter(({ path }) => nameOf(path) === name).length, name).toBeLessThan(2);
  });

  it("has file names in kebab-case", () => {
    for (const { path } of sources)
      expect(path).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.tsx?$/);
  });

  it.each(["visible", "Finding", "withoutUserinfo"])("has one %s", (name) => {
    const declares = new RegExp(`^(export )?(async )?(function|const|class|interface|type) ${name}\\b`, "m");
    expect(sources.filter(({ text }) => declares.test(text)).map(({ path }) => path)).toHaveLength(1);
  });

  it("knows GitHub's environment in one file", () => {
    const knowing = sources.filter(({ text }) => /\bGITHUB_/.test(text)).map(({ path }) => path);
    expect(knowing).toEqual(["ci/github.ts"]);
  });
});
