// Runs every test that has properties 100 times, each time with a new seed, and prints the seed of what fails.
//
//   npm run fuzz                                      every property
//   npm run fuzz -- test/unit/keys-build.test.ts      some files
//   npm run fuzz -- --rounds 10                       fewer rounds
//   npm run fuzz -- FILE --seed 7 -t 'name'           one round with this seed, of the tests with this name
//
// Properties that need a Docker engine are left out where none answers.
//
// Exit codes: 0 nothing failed · 1 something failed · 2 usage
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

function usage(what) {
  console.error(`${what}\nusage: npm run fuzz -- [FILE…] [--rounds N] [--seed N] [-t NAME]`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "100" },
        seed: { type: "string" },
        name: { type: "string", short: "t" },
      },
    });
  } catch (error) {
    return usage(error.message);
  }
}

/** Whether a file of the tests draws values, itself or by what it imports from beside it. */
function hasProperties(path, seen = new Set()) {
  if (seen.has(path)) return false;
  seen.add(path);
  const text = readFileSync(path, "utf8");
  if (/from "fast-check"/.test(text)) return true;
  const beside = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, to]) => resolve(dirname(path), to));
  return beside.some((to) => to.startsWith(join(root, "test/")) && hasProperties(to, seen));
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

const { values, positionals } = options();
for (const name of ["rounds", "seed"]) {
  if (values[name] !== undefined && !/^(0|-?[1-9]\d{0,9})$/.test(values[name]))
    usage(`--${name} is a number`);
}
if (Number(values.rounds) < 1) usage("--rounds is 1 or more");

const files = readdirSync(join(root, "test"), { recursive: true })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => `test/${path}`)
  .filter((path) => positionals.length === 0 || positionals.some((part) => path.includes(part)))
  .filter((path) => hasProperties(join(root, path)))
  .sort();
if (files.length === 0) usage("no such file has properties");

/** A long text without its middle: what failed stands at its end, what it was tried with at its start. */
const cut = (text) => (text.length > 6000 ? `${text.slice(0, 3000)}\n…\n${text.slice(-3000)}` : text);

function printFailure(test, fuzz, errors) {
  const { relativeModuleId } = test.module;
  const seed = fuzz ? ` --seed ${fuzz.seed}` : "";
  console.log(`\n── ${relativeModuleId} > ${test.fullName} ──`);
  if (fuzz) console.log(`seed: ${fuzz.seed} (round ${fuzz.rounds})`);
  const name = escaped(test.fullName.replaceAll(" > ", " "));
  console.log(`again: npm run fuzz -- ${relativeModuleId}${seed} -t ${quoted(name)}`);
  for (const { message, cause } of errors) {
    console.log(cut(message));
    if (cause?.message !== undefined) console.log(`because: ${cut(cause.message)}`);
  }
  console.log("");
}

const began = Date.now();
let tried = 0;
let failed = 0;
const reporter = {
  onTestCaseResult(test) {
    const { state, errors = [] } = test.result();
    const { fuzz } = test.meta();
    const seconds = ((test.diagnostic()?.duration ?? 0) / 1000).toFixed(1);
    if (fuzz) tried += 1;
    if (state === "failed") failed += 1;
    if (!fuzz && state !== "failed") return;
    const rounds = fuzz ? `${fuzz.rounds} × ` : "";
    console.log(
      `${state === "failed" ? "FAILED" : "ok    "} ${rounds}${test.module.relativeModuleId} > ${test.fullName} (${seconds} s)`,
    );
    // At once: a run that is stopped has told what it found.
    if (state === "failed") printFailure(test, fuzz, errors);
  },
  onTestRunEnd(modules, unhandled) {
    const broken = [...unhandled, ...modules.flatMap((module) => module.errors())];
    for (const error of broken) console.log(`\nFAILED: ${error.stack ?? error.message}`);
    const minutes = ((Date.now() - began) / 60_000).toFixed(1);
    console.log(`\n${tried} tests with properties, ${failed + broken.length} failed, in ${minutes} minutes`);
    if (failed + broken.length > 0) process.exitCode = 1;
  },
};

process.env.FUZZ_ROUNDS = values.seed === undefined ? values.rounds : "1";
if (values.seed !== undefined) process.env.FUZZ_SEED = values.seed;
console.log(`${files.length} files with properties, ${process.env.FUZZ_ROUNDS} rounds`);
const vitest = await startVitest("test", files, {
  root,
  watch: false,
  runner: "test/fuzz-runner.ts",
  reporters: [reporter],
  ...(values.name === undefined ? {} : { testNamePattern: values.name }),
});
await vitest.close();
