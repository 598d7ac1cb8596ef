// Makes the code caches of dist/: warm.cjs DIST/cli.js WORKSPACE. Each chunk's cache holds the functions that the
// commands below made V8 compile. What they print is thrown away.
"use strict";
const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const [, , entry, workspace] = process.argv;
const { load, scripts } = require(entry);
const folder = mkdtempSync(join(tmpdir(), "factory-warm-"));
const commands = [
  ["stitch", "--manifest-id", "llm_factory", "-o", join(folder, "Dockerfile")],
  ["stitch", "--manifest-id", "llm_factory", "--json", "-o", "-"],
  ["plan", "baseline_core_light"],
  ["plan", "baseline_core_light", "--format", "github", "-o", join(folder, "strategy.json")],
  ["validate"],
  ["records", "list"],
  // Without docker on the PATH this ends early, and has loaded most of what a run needs.
  ["run", "--manifest-id", "llm_factory", "--quiet"],
];

async function main() {
  process.env.PATH = folder;
  process.env.NO_COLOR = "1";
  const { main: run } = load("./cli.js");
  const quiet = () => true;
  const write = process.stderr.write;
  process.stderr.write = quiet;
  for (const command of commands) await run([process.argv[0], entry, "--workspace", workspace, ...command]);
  process.stderr.write = write;
  for (const [file, script] of scripts) writeFileSync(`${file}.cache`, script.createCachedData());
  process.exitCode = 0;
}

main().finally(() => rmSync(folder, { recursive: true, force: true }));
