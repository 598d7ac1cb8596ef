// Preloaded into a Node process that is measured: leaves its peak resident memory (KiB) in a file when it ends.
"use strict";
const { writeFileSync } = require("node:fs");
process.on("exit", () =>
  writeFileSync(process.env.FACTORY_BENCH_PEAK, String(process.resourceUsage().maxRSS)),
);
delete process.env.NODE_OPTIONS;
