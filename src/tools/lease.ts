import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Whether an owner still runs; `unknown` for one on another machine, boot or PID namespace. */
export type OwnerState = "alive" | "dead" | "unknown";

/** The name of a process as the owner of something that outlives it: containers, tags, folders. */
export interface Lease {
  /** Random; 16 hex digits. */
  id: string;
  /** The id, and everything that tells whether the process still runs: `[A-Za-z0-9._-]`, at most 100 characters. */
  owner: string;
  /** Whether the owner of something still runs. */
  stateOf: (owner: string) => OwnerState;
}

function readLine(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The place in which a process id means something: a boot of a machine, and a PID namespace. */
function placeOf(): string {
  const boot = readLine("/proc/sys/kernel/random/boot_id");
  if (boot === undefined)
    return hostname()
      .replace(/[^A-Za-z0-9]+/g, "-")
      .slice(0, 40);
  let namespace = "";
  try {
    namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "";
  } catch {
    // Without the namespace, the boot alone would not tell places apart.
    namespace = randomBytes(4).toString("hex");
  }
  return `${boot.replaceAll("-", "")}-${namespace}`;
}

/** When a process began, in ticks since the boot, so that a reused id can be recognised. 0 if it is not known. */
function startOf(pid: number): string {
  // The name of the program is in parentheses, and may contain anything.
  const fields = readLine(`/proc/${pid}/stat`)?.split(")").at(-1)?.trim().split(" ");
  return fields?.[19] ?? "0";
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The lease of this process. */
export function openLease(): Lease {
  const id = randomBytes(8).toString("hex");
  const place = placeOf();
  const owner = [id, process.pid, startOf(process.pid), place].join(".");
  return {
    id,
    owner,
    stateOf: (other) => {
      if (other === owner) return "alive";
      const [, pid = "", start = "", where = ""] = /^[0-9a-f]{16}\.(\d+)\.(\d+)\.(.+)$/.exec(other) ?? [];
      if (where !== place) return "unknown";
      return runs(Number(pid)) && startOf(Number(pid)) === start ? "alive" : "dead";
    },
  };
}
