// Every check of the tree but the tests, two at a time. All of them are run, whatever fails; the output of those that
// failed follows at the end.
//
//   node scripts/check.mjs           all checks
//   node scripts/check.mjs lint …    the named ones
//
// Exit codes: 0 all passed · 1 one failed · 2 there is no such check
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => `node_modules/.bin/${name}`;

/** Arguments of `node`, by the name of the check. The slowest stand first. */
const CHECKS = {
  lint: [bin("eslint"), ".", "--max-warnings", "0"],
  types: [bin("tsc"), "-p", "."],
  "types of the pages' script": [bin("tsc"), "-p", "src/site/browser"],
  format: [bin("prettier"), "--check", "--log-level", "warn", "."],
  "dead code": [bin("knip"), "--no-progress"],
  layers: [bin("depcruise"), "--config", ".dependency-cruiser.cjs", "src"],
  "schema drift": ["scripts/generate.mjs", "--check"],
};
const AT_ONCE = 2;

/** Runs one check; gives whether it passed, all that it printed, and the seconds it took. */
function run(name) {
  const start = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, CHECKS[name], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (chunk) => (output += chunk);
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const end = (passed) => resolve({ name, passed, output, seconds: (performance.now() - start) / 1000 });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
const unknown = wanted.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  console.error(`no check is named ${unknown.join(", ")}; there are: ${Object.keys(CHECKS).join(", ")}`);
  process.exit(2);
}

const waiting = [...wanted];
const failed = [];
const worker = async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const result = await run(name);
    console.log(`${result.passed ? "ok    " : "FAILED"} ${name} (${result.seconds.toFixed(1)} s)`);
    if (!result.passed) failed.push(result);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));

for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output.trimEnd()}`);
console.log(`\n${wanted.length - failed.length} of ${wanted.length} checks passed`);
process.exitCode = failed.length === 0 ? 0 : 1;
