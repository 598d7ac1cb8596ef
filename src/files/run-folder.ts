import { lstatSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "./folders.ts";
import { insideWorkspace } from "./own-folders.ts";
import { readRegular } from "./read-regular.ts";
import { writeWhole } from "./write-whole.ts";

/** The file in a process's folder that names its owner. Its mtime is the heartbeat. */
const OWNER_FILE = "owner";

const BEAT_MS = 30_000;

/** If it cannot be known whether a folder's owner still runs, the folder is abandoned after an hour without a heartbeat. */
const SILENCE_MS = 3600_000;

type OwnerState = "alive" | "dead" | "unknown";

/** The folder of one process below `.factory/run`, for what is written while cells are built. */
export interface RunFolder {
  /** Absolute. Made, with its heartbeat, when it is first asked for. @throws FactoryError WRITE_FAILED, FILE_OUTSIDE */
  path: () => string;
  /** Removes the folder, and ends the heartbeat. */
  remove: () => void;
}

/** @param lease this process's own: its id names the folder, which contains its owner text */
export function openRunFolder(root: string, lease: { id: string; owner: string }): RunFolder {
  const below = `.factory/run/${lease.id}`;
  const folder = join(root, below);
  const file = join(folder, OWNER_FILE);
  let timer: NodeJS.Timeout | undefined;
  return {
    path: () => {
      if (timer) return folder;
      insideWorkspace(root, below);
      writeWhole(file, lease.owner, false);
      timer = setInterval(() => {
        try {
          utimesSync(file, new Date(), new Date());
        } catch {
          // The folder is gone, or the disk is full: the next write reports it.
        }
      }, BEAT_MS);
      timer.unref();
      return folder;
    },
    remove: () => {
      clearInterval(timer);
      timer = undefined;
      removeTree(folder);
    },
  };
}

function isLeft(folder: string, stateOf: (owner: string) => OwnerState, nowMs: number): boolean {
  const file = join(folder, OWNER_FILE);
  let owner = "";
  let beat: number;
  try {
    beat = lstatSync(file).mtimeMs;
    owner = readRegular(file)?.bytes.toString("utf8") ?? "";
  } catch {
    // The folder is being made right now, or comes from an older version.
    beat = lstatSync(folder).mtimeMs;
  }
  const state = stateOf(owner);
  return state === "dead" || (state === "unknown" && nowMs - beat > SILENCE_MS);
}

/**
 * The folders below `.factory/run` whose process has ended. If that cannot be known (another machine, another PID
 * namespace), a folder is kept until its heartbeat is an hour old.
 */
export function abandonedRunFolders(
  root: string,
  stateOf: (owner: string) => OwnerState,
  nowMs: number,
): string[] {
  const base = join(root, ".factory", "run");
  let names: string[];
  try {
    names = readdirSync(base);
  } catch {
    return [];
  }
  return names
    .map((name) => join(base, name))
    .filter((folder) => {
      try {
        return isLeft(folder, stateOf, nowMs);
      } catch {
        // A sweep was faster.
        return false;
      }
    });
}

/** Removes what `abandonedRunFolders` gives. */
export function sweepRunFolders(root: string, stateOf: (owner: string) => OwnerState, nowMs: number): void {
  for (const folder of abandonedRunFolders(root, stateOf, nowMs)) {
    try {
      removeTree(folder);
    } catch {
      // Another sweep was faster, or we may not remove it: the run reports it if it matters.
    }
  }
}
