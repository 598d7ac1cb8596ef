import { defineConfig } from "vitest/config";
import { countingReporter } from "./test/reporter.ts";

export default defineConfig({
  test: {
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    reporters: ["default", countingReporter(process.env.FACTORY_REQUIRE_ENGINE === "1")],
    // Engine tests start builds and containers: two files at once is what two cores carry.
    maxWorkers: 2,
  },
});
