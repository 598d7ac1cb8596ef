import { defineConfig } from "vitest/config";

/** `npm run mutate` says which unit tests belong to what it changes. */
const include = (process.env.MUTATE_TESTS ?? "").split(",");

export default defineConfig({
  test: { setupFiles: ["test/setup.ts"], include, testTimeout: 120_000, maxWorkers: 1 },
});
