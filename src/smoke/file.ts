import { extract } from "tar-stream";
import type { Extract } from "tar-stream";
import { octalMode } from "../model/suite.ts";
import type { CheckOf } from "../model/suite.ts";
import type { ExecResult } from "../tools/exec.ts";
import { words } from "./containers.ts";
import type { SmokeContext } from "./suite-run.ts";
import { matchText } from "./match.ts";
import { couldNotRun, finding, outcomeOf } from "./outcome.ts";
import type { Finding, Outcome } from "./outcome.ts";
import { quoted } from "./text.ts";

/** The most that is read of a file; the rest is not looked at. */
const CONTENT_BYTES = 1024 * 1024;

/** What stands at a path. A symbolic link is told as itself. */
interface Inode {
  type: string;
  /** Where a symbolic link leads. */
  link: string | null;
  mode: number;
  uid: number;
  gid: number;
  bytes: number;
  /** The start of a regular file; empty for all else. */
  contents: string;
}

/** Reads the first entry of a tar stream and no more of it, for a folder's tar holds the whole folder. */
async function firstEntry(entries: Extract): Promise<Inode | null> {
  for await (const entry of entries) {
    const { type, linkname, mode = 0, uid = 0, gid = 0, size = 0 } = entry.header;
    const chunks: Buffer[] = [];
    let length = 0;
    if (type === "file") {
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= CONTENT_BYTES) break;
      }
    }
    const contents = Buffer.concat(chunks).subarray(0, CONTENT_BYTES).toString("utf8");
    const link = type === "symlink" ? (linkname ?? "") : null;
    return { type: type ?? "file", link, mode, uid, gid, bytes: size, contents };
  }
  return null;
}

const ABSENT = /Could not find the file|not a directory|no such file or directory/i;

/**
 * Looks at a path of a created container through `docker cp`, which follows symbolic links on the way to the last
 * part of the path, within the image's file system, but not the last part itself (as lstat does).
 * What the engine adds to every container stands there too: /.dockerenv, /etc/hosts, /etc/hostname, /etc/resolv.conf,
 * /dev, /proc and /sys.
 */
async function lookAt(
  context: SmokeContext,
  name: string,
  path: string,
): Promise<Inode | "absent" | { error: string }> {
  // With a slash at its end the path of a link would stand for the folder that it leads to.
  const own = path.replace(/(?<=.)\/+$/, "");
  const enough = new AbortController();
  const signal = AbortSignal.any([context.signal, enough.signal]);
  // Loaded before the stream starts: what is not read at once is lost.
  const { stdout, done } = await context.execStream("docker", ["cp", `${name}:${own}`, "-"], { signal });
  let inode: Inode | null = null;
  let broken: unknown;
  try {
    inode = await firstEntry(stdout.pipe(extract()));
  } catch (error) {
    broken = error;
  }
  if (inode) {
    enough.abort();
    stdout.destroy();
    await done;
    return inode;
  }
  stdout.resume();
  const result: ExecResult = await done;
  context.signal.throwIfAborted();
  if (result.exitCode !== 0) return ABSENT.test(result.stderr) ? "absent" : { error: words(result) };
  return { error: broken instanceof Error ? broken.message : "the engine sent an empty archive" };
}

function described({ type, link, bytes }: Inode): string {
  if (link !== null) return `a symbolic link to ${quoted(link, 200)}`;
  return type === "file" ? `a file of ${bytes} bytes` : `a ${type}`;
}

async function contentFindings(check: CheckOf<"file">, inode: Inode): Promise<Finding[]> {
  if (!check.contents) return [];
  if (inode.type !== "file") {
    return [
      finding(false, `${quoted(check.path, 200)} is a file with contents`, `it is ${described(inode)}`),
    ];
  }
  const findings = await matchText("its contents", check.contents, inode.contents);
  if (inode.bytes <= CONTENT_BYTES) return findings;
  return findings.map((one) => ({
    ...one,
    actual: `${one.actual} (of ${inode.bytes} bytes, the first 1 MiB)`,
  }));
}

/**
 * Compares one path of the image's file system. The mode is compared in all its twelve bits, the owner by number.
 * @param name a container created from the image; it need never run
 */
export async function testFile(
  context: SmokeContext,
  name: string,
  check: CheckOf<"file">,
): Promise<Outcome> {
  const path = quoted(check.path, 200);
  const expected = `${path} ${check.exists ? "exists" : "does not exist"}`;
  const found = await lookAt(context, name, check.path);
  if (found === "absent") return outcomeOf([finding(!check.exists, expected, "it does not exist")]);
  if ("error" in found) return couldNotRun(expected, found.error);
  const findings = [finding(check.exists, expected, `it is ${described(found)}`)];
  if (check.exists) {
    const { mode, owner } = check;
    const actualOwner = owner?.includes(":") ? `${found.uid}:${found.gid}` : String(found.uid);
    const actualMode = octalMode(found.mode & 0o7777);
    if (mode !== null) findings.push(finding(mode === actualMode, `mode ${mode}`, `mode ${actualMode}`));
    if (owner !== null)
      findings.push(finding(owner === actualOwner, `owner ${owner}`, `owner ${actualOwner}`));
    findings.push(...(await contentFindings(check, found)));
  }
  return outcomeOf(findings);
}
