import { sizeText } from "../model/bytes.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, ok, warning } from "./diagnosis.ts";

/** The first version of Node.js that Factory runs on. */
const NODE = [20, 19] as const;

/** What one build may take, and what a family of images soon takes, in bytes. */
const LEAST_ROOM = 1e9;
const GOOD_ROOM = 10e9;
/** The share of files that should be free. */
const GOOD_FILES = 0.05;

export function nodeVersion({ node }: DoctorDeps): Diagnosis[] {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const [least, leastMinor] = NODE;
  if (major > least || (major === least && minor >= leastMinor)) return [ok("node", `Node.js ${node}`)];
  return [broken("node", { what: `Node.js ${node}`, fix: `install Node.js ${NODE.join(".")} or newer` })];
}

/** Room where the workspace, temporary files and, on this machine, the engine's images are. */
export async function disk(
  deps: DoctorDeps,
  workspace: Workspace,
  engineRoot: string | null,
): Promise<Diagnosis[]> {
  const places: [string, string, string][] = [
    ...("catalog" in workspace
      ? [
          ["the workspace", workspace.catalog.root, "delete .factory/layers, or make room"] as [
            string,
            string,
            string,
          ],
        ]
      : []),
    ["temporary files", deps.temporary, "make room, or set TMPDIR to a folder elsewhere"],
    ...(engineRoot === null
      ? []
      : [["the engine", engineRoot, "docker system prune"] as [string, string, string]]),
  ];
  const told = await Promise.all(
    places.map(async ([whose, path, fix]): Promise<Diagnosis[]> => {
      const room = await deps.room(path);
      if (!room) return [];
      const { bytes, files } = room;
      const share = files && files.all > 0 ? files.free / files.all : 1;
      const few = share < GOOD_FILES ? `, and room for ${files?.free ?? 0} more files` : "";
      const what = `${sizeText(bytes)} free for ${whose} (${path})${few}`;
      if (bytes < LEAST_ROOM || share === 0) return [broken("disk", { what, fix })];
      if (bytes < GOOD_ROOM || few !== "") return [warning("disk", { what, fix })];
      return [ok("disk", what)];
    }),
  );
  return told.flat();
}

/** The clock against another one: times of records and of certificates are compared with those of other machines. */
export function clock(deps: DoctorDeps, whose: string, time: number | null): Diagnosis[] {
  if (time === null || Number.isNaN(time)) return [];
  const seconds = Math.round((deps.now() - time) / 1000);
  if (Math.abs(seconds) <= 30) return [ok("clock", `the same as that of ${whose}`)];
  const what = `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} that of ${whose}`;
  return [
    (Math.abs(seconds) > 300 ? broken : warning)("clock", {
      what,
      fix: "timedatectl set-ntp true, on both machines",
    }),
  ];
}
