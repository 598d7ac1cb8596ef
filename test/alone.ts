import { afterAll, expect, vi } from "vitest";

// Files take turns in one process: starting one for each takes longer than most of them run. Each still begins with
// modules that are loaded anew, and has to leave the process as it found it, so that no file can depend on another.
vi.resetModules();

const env = { ...process.env };
const before = { folder: process.cwd(), umask: process.umask(), exitCode: process.exitCode };
afterAll(() => {
  const after = { folder: process.cwd(), umask: process.umask(), exitCode: process.exitCode };
  expect(after, "a test file changed the process and left it so").toEqual(before);
  // Names alone: what a variable holds may be a secret.
  const names = Object.keys({ ...env, ...process.env }).filter((name) => env[name] !== process.env[name]);
  expect(names, "a test file changed the environment and left it so").toEqual([]);
});
