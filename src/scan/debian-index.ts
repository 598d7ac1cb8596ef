import { join } from "node:path";
import { tmpdir } from "node:os";
import { FactoryError } from "../errors.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Exec } from "../tools/exec.ts";

/** Gets a file over HTTP; null if it is not there. @throws if there is no answer, or another one */
export type GetFile = (url: string, most: number) => Promise<Uint8Array | null>;

/** Debian's security updates for a release. */
export interface DebianIndex {
  /** When it was made: ISO 8601. */
  made: string;
  /** The newest version of each binary package. */
  versions: ReadonlyMap<string, string>;
}

export interface DebianDeps {
  get: GetFile;
  exec: Exec;
  /** Where the archive of security updates is. */
  mirror: string;
  /** The keys that may sign it. */
  keyring: string;
  /** Milliseconds since 1970. */
  now: number;
  signal?: AbortSignal;
}

const MOST_RELEASE = 8 << 20;
const MOST_INDEX = 128 << 20;
const TIMEOUT_MS = 60_000;

/** How an index may be packed, the smallest first, and what unpacks it. */
const PACKINGS = [
  { ending: ".xz", program: ["xz", "--decompress", "--stdout"] },
  { ending: ".gz", program: ["gzip", "--decompress", "--stdout"] },
  { ending: "", program: null },
] as const;

/** Runs a program on files in a folder of its own. @returns its stdout, or why there is none */
async function piped(
  { exec, signal }: DebianDeps,
  [program, ...argv]: readonly [string, ...string[]],
): Promise<string | { reason: string }> {
  try {
    const ran = await exec(program, argv, { signal, timeoutMs: TIMEOUT_MS, maxBytes: MOST_INDEX });
    if (ran.aborted) throw new FactoryError("INTERRUPTED", `interrupted while ${program} ran`);
    if (ran.exitCode === 0) return ran.stdout;
    const last = ran.stderr.trim().split("\n").at(-1) ?? "";
    return { reason: `${program} failed: ${last || `exit ${ran.exitCode}`}` };
  } catch (error) {
    if (error instanceof FactoryError && error.code === "TOOL_MISSING") return { reason: error.message };
    throw error;
  }
}

/** What a release file says, as it was signed. */
function readRelease(text: string): {
  date: number;
  until: number;
  files: Map<string, { sha256: string; size: number }>;
} {
  const field = (name: string) => Date.parse(new RegExp(`^${name}: (.+)$`, "m").exec(text)?.[1] ?? "");
  const files = new Map<string, { sha256: string; size: number }>();
  const [, list = ""] = /^SHA256:\n((?: [^\n]*\n?)*)/m.exec(text) ?? [];
  for (const line of list.split("\n")) {
    const [, sha256, size, path] = /^ ([0-9a-f]{64}) +(\d+) (\S+)$/.exec(line) ?? [];
    if (sha256 !== undefined && path !== undefined) files.set(path, { sha256, size: Number(size) });
  }
  return { date: field("Date"), until: field("Valid-Until"), files };
}

/** The version of each package in an index. */
function readPackages(text: string): Map<string, string> {
  const versions = new Map<string, string>();
  for (const paragraph of text.split(/\n\n+/)) {
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1];
    const version = /^Version: (\S+)$/m.exec(paragraph)?.[1];
    if (name !== undefined && version !== undefined) versions.set(name, version);
  }
  return versions;
}

/**
 * Reads Debian's security updates from a mirror. What the mirror says counts only if Debian signed it: `gpgv` checks that, and the
 * index has to have the hash that is signed.
 * @param release such as `bookworm`
 * @param architecture as Debian calls it: `amd64`
 * @returns why there is none that can be relied on
 * @throws FactoryError INTERRUPTED
 */
export async function debianIndex(
  release: string,
  architecture: string,
  deps: DebianDeps,
): Promise<DebianIndex | { reason: string }> {
  const { get, mirror, keyring, now } = deps;
  const place = `${mirror.replace(/\/+$/, "")}/dists/${release}-security`;
  const folder = makeFolderIn(tmpdir(), "factory-debian-");
  try {
    const signed = await get(`${place}/InRelease`, MOST_RELEASE);
    if (!signed) return { reason: `${mirror} has no security updates for ${release}` };
    const file = join(folder, "InRelease");
    writeWhole(file, signed, false);
    const release_ = await piped(deps, ["gpgv", "--keyring", keyring, "--output", "-", file]);
    if (typeof release_ !== "string")
      return { reason: `${place}/InRelease is not signed by Debian: ${release_.reason}` };
    const { date, until, files } = readRelease(release_);
    if (Number.isNaN(date)) return { reason: `${place}/InRelease does not say when it was made` };
    if (until < now) return { reason: `${place}/InRelease was valid until ${new Date(until).toISOString()}` };
    for (const { ending, program } of PACKINGS) {
      const path = `main/binary-${architecture}/Packages${ending}`;
      const wanted = files.get(path);
      if (!wanted || wanted.size > MOST_INDEX) continue;
      const bytes = await get(`${place}/${path}`, MOST_INDEX);
      if (!bytes) continue;
      if (sha256Hex(bytes) !== wanted.sha256) return { reason: `${place}/${path} is not what Debian signed` };
      const packed = join(folder, "Packages");
      writeWhole(packed, bytes, false);
      const text = program ? await piped(deps, [...program, packed]) : Buffer.from(bytes).toString("utf8");
      if (typeof text !== "string") return text;
      return { made: new Date(date).toISOString(), versions: readPackages(text) };
    }
    return { reason: `${mirror} has no index of ${architecture} for ${release}` };
  } catch (error) {
    if (error instanceof FactoryError) throw error;
    return { reason: `${mirror} does not answer: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    removeTree(folder);
  }
}
