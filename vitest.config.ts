import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";
import { countingReporter } from "./test/reporter.ts";

export default defineConfig({
  test: {
    setupFiles: ["test/setup.ts", "test/alone.ts"],
    include: ["test/**/*.test.ts"],
    // These end a test that hangs. How long one takes depends on what else the machine does.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ["default", countingReporter(process.env.FACTORY_REQUIRE_ENGINE === "1")],
    // Engine tests wait for builds and containers much of their time: one file more than there are cores fills that.
    maxWorkers: 3,
    // test/alone.ts keeps the files of one process apart.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
