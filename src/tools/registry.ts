import type { Exec } from "./exec.ts";

/** How long a registry may take to give any answer. */
const ANSWER_MS = 4000;

/** Whether the registry of a repository is on this machine's loopback, such as `127.0.0.1:5000/team`. */
export function isLoopback(repository: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?\//.test(`${repository}/`);
}

/**
 * Whether a registry answers. Any HTTP answer counts; it waits at most four seconds. A registry on loopback that cannot be
 * reached is down. Any other one is only down if it stays silent: the engine may reach what this process cannot.
 */
export async function registryAnswers(repository: string): Promise<boolean> {
  const [host = ""] = repository.split("/");
  const loopback = isLoopback(repository);
  const silence = AbortSignal.timeout(ANSWER_MS);
  try {
    await fetch(`${loopback ? "http" : "https"}://${host}/v2/`, { signal: silence, redirect: "manual" });
    return true;
  } catch {
    return !loopback && !silence.aborted;
  }
}

/** Everything that a tag can mean. */
const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** `host/path:tag`; a name without a host means the engine's default registry. */
const HOSTED = /^((?:[^/]*[.:][^/]*|localhost))\/([^:@]+):([^:@/]+)$/;

/** As the engine's own command line finds it, with its log-ins, mirrors and certificates. */
async function inspected(ref: string, exec: Exec): Promise<string | null | undefined> {
  const argv = ["buildx", "imagetools", "inspect", ref, "--format", "{{.Manifest.Digest}}"];
  try {
    const { exitCode, stdout, stderr } = await exec("docker", argv, { timeoutMs: 30_000 });
    const [digest] = /sha256:[a-f0-9]{64}/.exec(stdout) ?? [];
    if (exitCode === 0 && digest !== undefined) return digest;
    return /not found|manifest unknown/i.test(stderr) ? null : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The digest that a registry has under a tag; null where it has no such tag; undefined where it cannot be asked. It is asked
 * directly; where that is not enough (a log-in, a certificate of its own) docker's command line asks.
 */
export async function servedDigest(ref: string, exec: Exec): Promise<string | null | undefined> {
  const [, host = "", name = "", tag = ""] = HOSTED.exec(ref) ?? [];
  if (host === "") return inspected(ref, exec);
  const scheme = isLoopback(ref) ? "http" : "https";
  try {
    const { status, headers } = await fetch(`${scheme}://${host}/v2/${name}/manifests/${tag}`, {
      method: "HEAD",
      headers: { accept: MANIFESTS },
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: "manual",
    });
    const digest = headers.get("docker-content-digest") ?? "";
    if (status === 200 && /^sha256:[a-f0-9]{64}$/.test(digest)) return digest;
    if (status === 404) return null;
  } catch {
    if (isLoopback(ref)) return undefined;
  }
  return inspected(ref, exec);
}
