// Changes the code of an area in small ways, one at a time, and sees whether a unit test of that area fails.
//
//   npm run mutate                    all areas
//   npm run mutate -- push classify   some of them
//   npm run mutate -- push --write    also writes the score and the survivors to docs/mutation.md
//   npm run mutate -- push --again    tries only what no test noticed the last time, and what was edited since
//
// --again is for writing tests: it does not see that a file beside the code and the tests was edited. What each file came to
// is kept in coverage/mutation/.
//
// docs/mutation.md lists every change that no test notices, with the reason why none has to.
//
// Exit codes: 0 each area reaches its score, and the list is true · 1 it does not, or is not · 2 usage
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Stryker } from "@stryker-mutator/core";
import { parseReport, printReport } from "./mutation-report.mjs";

const LOWEST = 85;

/** The files that are changed, and the tests that have to notice, those that tell most in the least time first. */
const AREAS = {
  keys: {
    code: ["src/model/inputs.ts", "src/stitch/finish.ts", "src/stitch/recipe.ts"],
    tests: ["model-inputs", "keys-", "stitch-render", "stitch-sharing"],
  },
  decide: {
    code: ["attempts", "decide", "placement", "reason", "ruling"].map((name) => `src/plan/decide/${name}.ts`),
    tests: ["plan-reason", "plan-decide", "attacks/places", "parents-graph"],
  },
  record: {
    code: [
      "src/run/record.ts",
      "src/records/check.ts",
      "src/records/evidence.ts",
      "src/records/proof/",
      "src/records/proven.ts",
      "src/records/read-record.ts",
      "src/records/verify.ts",
    ],
    tests: ["run-record", "records-proof", "records-check", "records-store", "records-proven"],
  },
  smoke: {
    code: [
      "src/model/smoke.ts",
      "src/pipeline/smoke.ts",
      "src/smoke/match.ts",
      "src/smoke/outcome.ts",
      "src/smoke/settings.ts",
      "src/smoke/setups.ts",
      "src/smoke/smoke.ts",
    ],
    tests: ["smoke-", "pipeline-smoke"],
  },
  push: {
    code: ["src/pipeline/push.ts"],
    tests: ["pipeline-", "run-cells"],
  },
  classify: {
    code: ["src/builder/classify.ts"],
    tests: ["build-classify"],
  },
};

const root = fileURLToPath(new URL("..", import.meta.url));
const report = `${root}docs/mutation.md`;
process.chdir(root);

function usage(what) {
  console.error(`${what}\nusage: npm run mutate -- [${Object.keys(AREAS).join("|")}…] [--write] [--again]`);
  process.exit(2);
}

function options() {
  try {
    const flag = { type: "boolean", default: false };
    return parseArgs({ allowPositionals: true, options: { write: flag, again: flag } });
  } catch (error) {
    return usage(error.message);
  }
}

/** The files of these paths, where `/` at the end stands for a whole folder. @throws where there is none */
function filesOf(paths) {
  return paths
    .flatMap((path) => (path.endsWith("/") ? readdirSync(path).map((name) => path + name) : [path]))
    .map((path) => {
      if (!existsSync(path)) throw new Error(`${path} is gone: scripts/mutate.mjs names it`);
      return path;
    });
}

/** The files of tests whose paths begin so, below test/unit/ where no folder is named. @throws where there is none */
function testsOf(starts) {
  const paths = readdirSync("test", { recursive: true }).map((path) => `test/${path}`);
  return starts.flatMap((start) => {
    const whole = start.includes("/") ? `test/${start}` : `test/unit/${start}`;
    const found = paths.filter((path) => path.endsWith(".test.ts") && path.startsWith(whole)).sort();
    if (found.length === 0) throw new Error(`no test begins with ${whole}: scripts/mutate.mjs names it`);
    return found;
  });
}

/** The first line that a mutant changes, before and after. */
function linesOf(lines, { location: { start, end }, replacement }) {
  const before = lines[start.line - 1];
  const changed = before.slice(0, start.column - 1) + replacement + lines[end.line - 1].slice(end.column - 1);
  return { before: before.trim(), after: changed.trim().replace(/\s*\n\s*/g, " ") };
}

/** Runs one file of an area. Gives how many mutants there were, how many were noticed, and the others. */
async function mutateFile(file, again) {
  const lines = readFileSync(file, "utf8").split("\n");
  const stryker = new Stryker({
    mutate: [file],
    plugins: [import.meta.resolve("@stryker-mutator/vitest-runner")],
    testRunner: "vitest",
    vitest: { configFile: "test/mutate.config.ts", related: false },
    coverageAnalysis: "perTest",
    concurrency: 1,
    timeoutMS: 30_000,
    tempDirName: "coverage/mutation/sandbox",
    incremental: true,
    incrementalFile: `coverage/mutation/${file.replaceAll("/", "-")}.json`,
    force: !again,
    // Stryker cannot copy a link to a folder, such as one in examples/.
    ignorePatterns: ["coverage", ".factory", "examples", "test/engine", "test/attacks/engine"],
    reporters: ["progress-append-only"],
    disableTypeChecks: false,
    thresholds: { break: null },
  });
  const results = (await stryker.runMutationTest()).filter(({ status }) => status !== "Ignored");
  const missed = results.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const survivors = missed.map((mutant) => ({ file, ...linesOf(lines, mutant) }));
  return { total: results.length, caught: results.length - missed.length, survivors };
}

/** Runs the files of an area one after the other: so a run that is stopped loses one file alone. */
async function mutate({ code, tests }, again) {
  process.env.MUTATE_TESTS = testsOf(tests).join(",");
  const sum = { total: 0, caught: 0, survivors: [] };
  for (const file of filesOf(code)) {
    const { total, caught, survivors } = await mutateFile(file, again);
    sum.total += total;
    sum.caught += caught;
    sum.survivors.push(...survivors);
  }
  return sum;
}

const { values, positionals } = options();
const unknown = positionals.filter((name) => !Object.hasOwn(AREAS, name));
if (unknown.length > 0) usage(`no area is named ${unknown.join(", ")}`);

// The values of properties stay the same, so that two runs come to the same.
process.env.CI = "true";
const areas = parseReport(readFileSync(report, "utf8"));
const problems = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(AREAS)) {
  const { total, caught, survivors } = await mutate(AREAS[name], values.again);
  const known = areas.get(name)?.survivors ?? [];
  const same = (a) => (b) => a.file === b.file && a.before === b.before && a.after === b.after;
  const now = [];
  for (const survivor of survivors) {
    if (now.some(same(survivor))) continue;
    const reason = known.find(same(survivor))?.reason ?? "";
    if (reason === "") problems.push({ what: "no test notices, and no reason says why", survivor });
    now.push({ ...survivor, reason });
  }
  for (const survivor of known.filter((one) => !now.some(same(one))))
    if (!values.write) problems.push({ what: "is listed, and does not survive", survivor });
  const score = (100 * caught) / total;
  console.log(`${name}: ${caught} of ${total} changes noticed (${score.toFixed(1)} %)`);
  if (score < LOWEST) problems.push({ what: `the score of ${name} is below ${LOWEST} %` });
  areas.set(name, { total, caught, survivors: now });
}
if (values.write) {
  const text = readFileSync(report, "utf8");
  writeFileSync(report, printReport(text, Object.keys(AREAS), areas));
}
for (const { what, survivor } of problems) {
  console.log(`\n${what}`);
  if (survivor) console.log(`  ${survivor.file}\n  - ${survivor.before}\n  + ${survivor.after}`);
}
process.exitCode = problems.length === 0 ? 0 : 1;
