#!/usr/bin/env node
// The shipped entry, copied to dist/cli.js. It loads the chunks beside it with V8's code cache, which the build made:
// most of a short command's time would otherwise go into compiling. A cache that another Node made is refused by V8
// and costs nothing but the time that it would have saved.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const folder = join(__dirname, "chunks");
const modules = new Map();
const scripts = new Map();

function cacheOf(file) {
  try {
    return readFileSync(`${file}.cache`);
  } catch {
    return undefined;
  }
}

function load(id) {
  const name = id.slice("./".length);
  const known = modules.get(name);
  if (known) return known.exports;
  const filename = join(folder, name);
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, "utf8")}\n})`;
  const script = new Script(source, { filename, cachedData: cacheOf(filename) });
  const module = { exports: {} };
  modules.set(name, module);
  scripts.set(filename, script);
  const within = (wanted) => (wanted.startsWith("./") ? load(wanted) : require(wanted));
  script.runInThisContext()(module.exports, within, module, filename, folder);
  return module.exports;
}

// What the docker CLI and people ask most often is answered without loading anything.
if (require.main !== module) module.exports = { load, scripts };
else if (["--version", "-V"].includes(process.argv[2])) {
  // As src/exits.ts does it.
  process.stdout.on("error", ({ code, message }) => {
    if (code === "EPIPE") process.exit(0);
    process.stderr.on("error", () => undefined);
    process.stderr.write(`error WRITE_FAILED: cannot write to stdout: ${message}\n`);
    process.exit(3);
  });
  process.stdout.write(`${FACTORY_VERSION}\n`);
} else load("./cli.js").main(process.argv);
