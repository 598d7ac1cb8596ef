import type { FileTest, TextMatch } from "../../schemas/types.ts";
import { matchText } from "../match.ts";
import { couldNotRun, observed, outcomeOf } from "../outcome.ts";
import type { Observation } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Inode, Kind } from "./kind.ts";

interface FileCheck {
  kind: "file";
  path: string;
  exists: boolean;
  /** Four octal digits. */
  mode: string | null;
  owner: string | null;
  contents: TextMatch | null;
}

/** The most that is read of a file; the rest is not looked at. */
const CONTENT_BYTES = 1024 * 1024;

/** Permission bits as four octal digits. */
function octalMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function described({ type, link, bytes }: Inode): string {
  if (link !== null) return `a symbolic link to ${quoted(link, 200)}`;
  return type === "file" ? `a file of ${bytes} bytes` : `a ${type}`;
}

function contentFindings(check: FileCheck, inode: Inode): Observation[] {
  if (!check.contents) return [];
  if (inode.type !== "file") {
    return [
      observed(false, `${quoted(check.path, 200)} is a file with contents`, `it is ${described(inode)}`),
    ];
  }
  const findings = matchText("its contents", check.contents, inode.contents);
  if (inode.bytes <= CONTENT_BYTES) return findings;
  return findings.map((one) => ({
    ...one,
    actual: `${one.actual} (of ${inode.bytes} bytes, the first 1 MiB)`,
  }));
}

/** Compares one path of the image's file system. The mode is compared in all its twelve bits, the owner by number. */
export const file: Kind<FileTest, FileCheck> = {
  form: ({ path, exists = true, mode, owner = null, contents = null }) => {
    const bits = mode === undefined ? null : octalMode(Number.parseInt(mode, 8));
    return { kind: "file", path, exists, mode: bits, owner, contents };
  },
  matches: ["contents"],
  problems: (declared) =>
    (["mode", "owner", "contents"] as const)
      .filter((field) => declared.exists === false && declared[field] !== undefined)
      .map((field) => ({
        field,
        what: `wants the ${field} of a file that must not exist`,
        fix: `remove \`${field}\` or \`exists: false\``,
      })),
  run: async (check, tools) => {
    const path = quoted(check.path, 200);
    const expected = `${path} ${check.exists ? "exists" : "does not exist"}`;
    const found = await tools.lookAt(check.path);
    if (found === "absent") return outcomeOf([observed(!check.exists, expected, "it does not exist")]);
    if ("error" in found) return couldNotRun(expected, found.error);
    const findings = [observed(check.exists, expected, `it is ${described(found)}`)];
    if (check.exists) {
      const { mode, owner } = check;
      const actualOwner = owner?.includes(":") ? `${found.uid}:${found.gid}` : String(found.uid);
      const actualMode = octalMode(found.mode & 0o7777);
      if (mode !== null) findings.push(observed(mode === actualMode, `mode ${mode}`, `mode ${actualMode}`));
      if (owner !== null)
        findings.push(observed(owner === actualOwner, `owner ${owner}`, `owner ${actualOwner}`));
      findings.push(...contentFindings(check, found));
    }
    return outcomeOf(findings);
  },
};
