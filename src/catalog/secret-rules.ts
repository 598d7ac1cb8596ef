import { posix } from "node:path";
import type { Finding } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { Documents } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";
import type { Path } from "./yaml-value.ts";

type Sources = Pick<Documents["workspace"], "secrets" | "ssh" | "network">;

const WAYS = ["env", "file", "command"] as const;

/** Whether a path that starts at the workspace leads out of it. */
function leadsOut(path: string): boolean {
  return /^\.\.(\/|$)/.test(posix.normalize(path));
}

function checkSource(
  source: object | undefined,
  path: Path,
  { place, shared, ways }: { place: PlaceOf; shared: boolean; ways: readonly string[] },
): Finding[] {
  if (source === undefined) return [];
  const given = WAYS.filter((way) => Object.hasOwn(source, way));
  const name = quoted(path.join("."));
  if (given.length !== 1) {
    return [
      {
        code: "SCHEMA",
        what:
          given.length === 0
            ? `${name} does not say where the value comes from`
            : `${name} says in ${given.length} ways where the value comes from: ${given.join(", ")}`,
        where: place(path),
        fix: `keep exactly one of ${ways.join(", ")}`,
      },
    ];
  }
  const { file } = source as { file?: string };
  if (file === undefined || !shared || !leadsOut(file)) return [];
  return [
    {
      code: "FILE_OUTSIDE",
      what: `${quoted(file)} leads out of the workspace`,
      where: place([...path, "file"]),
      fix: "write it as an absolute path or with `~/`, or put it into factory.local.yaml",
    },
  ];
}

/**
 * What is wrong with where secrets come from.
 * @param shared whether the document is the same for everyone: then a path from the workspace may not lead out of it
 */
export function checkSources(
  { secrets, ssh, network }: Sound<Sources>,
  place: PlaceOf,
  shared: boolean,
): Finding[] {
  const about = { place, shared, ways: WAYS };
  return [
    ...Object.entries(secrets ?? {}).flatMap(([id, one]) => checkSource(one, ["secrets", id], about)),
    ...Object.entries(ssh ?? {}).flatMap(([id, one]) =>
      checkSource(one, ["ssh", id], { ...about, ways: ["env", "file"] }),
    ),
    ...Object.entries(network?.proxy ?? {}).flatMap(([name, one]) =>
      checkSource(one, ["network", "proxy", name], about),
    ),
    ...checkSource(network?.ca, ["network", "ca"], about),
  ];
}
