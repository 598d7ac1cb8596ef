import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, onTestFinished } from "vitest";
import { createDocker, type Docker } from "../../src/tools/docker.ts";
import { createEngineApi } from "../../src/tools/engine-api.ts";
import { resolveEndpoint } from "../../src/tools/engine-endpoint.ts";
import { exec, execDuplex } from "../../src/tools/exec.ts";

// buildx writes below HOME. Where it cannot, it gets another folder.
if (process.env.BUILDX_CONFIG === undefined && !isWritable(homedir())) {
  const folder = mkdtempSync(join(tmpdir(), "factory-buildx-"));
  process.env.BUILDX_CONFIG = folder;
  afterAll(() => {
    delete process.env.BUILDX_CONFIG;
    rmSync(folder, { recursive: true, force: true });
  });
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a Docker engine with buildx answers. With FACTORY_REQUIRE_ENGINE=1 a missing one fails the tests. */
const engineAnswers = ((): boolean => {
  const answers =
    spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0 &&
    spawnSync("docker", ["buildx", "version"], { stdio: "ignore" }).status === 0;
  if (!answers && process.env.FACTORY_REQUIRE_ENGINE === "1") {
    throw new Error("FACTORY_REQUIRE_ENGINE=1, and no Docker engine with buildx answers: run test/lab/up");
  }
  return answers;
})();

/** The registry on loopback that test/lab/up starts. */
export const registry = "127.0.0.1:5000";

/** `describe` for tests that drive the real engine; left out (and counted as such) where none answers. */
export const describeEngine = describe.skipIf(!engineAnswers);

/** A name that no other test uses: lower case, digits and `-`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
}

/** A temporary folder that is gone when the test is over. Call it inside a test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "factory-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs docker for a test's own preparations; throws with docker's words where it fails. */
export function docker(argv: string[], input?: string): string {
  return execFileSync("docker", argv, {
    encoding: "utf8",
    input,
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 64 << 20,
  });
}

/** Removes an image when the test is over. Call it inside a test. */
export function removeImageAfterwards(ref: string): void {
  onTestFinished(() => void spawnSync("docker", ["image", "rm", "-f", ref], { stdio: "ignore" }));
}

/** Factory's own way to the engine that an environment names. */
export function engineOf(env: NodeJS.ProcessEnv = process.env): Docker {
  const dial = () => execDuplex("docker", ["system", "dial-stdio"]);
  const api = createEngineApi({ endpoint: () => resolveEndpoint(env), dial, env });
  return createDocker({ exec, api });
}
