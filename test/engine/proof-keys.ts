import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporaryFolder } from "./engine.ts";

/** A key of cosign, made now, and what signs with it. */
export interface TestKey {
  publicKey: string;
  env: { FACTORY_SIGNING_KEY: string; COSIGN_PASSWORD: string };
}

/** Makes a pair of keys that is gone when the test is over. */
export function makeKey(): TestKey {
  const folder = temporaryFolder();
  const COSIGN_PASSWORD = "only for this test";
  execFileSync("cosign", ["generate-key-pair"], {
    cwd: folder,
    env: { ...process.env, COSIGN_PASSWORD },
    stdio: "ignore",
  });
  return {
    publicKey: join(folder, "cosign.pub"),
    env: { FACTORY_SIGNING_KEY: join(folder, "cosign.key"), COSIGN_PASSWORD },
  };
}

/** Runs cosign without a network. @returns its stdout; throws if it fails */
export function cosign(argv: readonly string[]): string {
  const folder = temporaryFolder();
  const root = join(folder, "root.json");
  execFileSync("cosign", ["trusted-root", "create", "--out", root], { stdio: "ignore" });
  const offline = ["--insecure-ignore-tlog=true", "--trusted-root", root, "--allow-http-registry"];
  const [verb = "", ...rest] = argv;
  return execFileSync("cosign", [verb, ...offline, ...rest], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}
