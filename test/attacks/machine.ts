import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Whether this machine lets the tests do something in a folder: most of it needs root. */
function can(work: (folder: string) => void): boolean {
  const folder = mkdtempSync(join(tmpdir(), "factory-can-"));
  try {
    work(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const quietly = (program: string, argv: string[]) => void execFileSync(program, argv, { stdio: "ignore" });

/** Needs root on a file system that takes devices. */
export const canMakeDevices = can((folder) => quietly("mknod", [join(folder, "null"), "c", "1", "3"]));

/** Needs root that may mount. */
export const canMount = can((folder) => {
  quietly("mount", ["-t", "tmpfs", "-o", "size=64k", "none", folder]);
  quietly("umount", [folder]);
});

/** Puts a disk of this size, such as `64k`, at a folder until the test is over. Call it inside a test. */
export function mountDisk(folder: string, size: string): void {
  quietly("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", folder]);
  onTestFinished(() => void spawnSync("umount", ["-l", folder]));
}
