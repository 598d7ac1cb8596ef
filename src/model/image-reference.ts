import { FactoryError } from "../errors.ts";
import { quoted } from "./visible.ts";

/** A repository of a registry. */
export interface RepositoryName {
  /** In lower case, with the port if one is given: `ghcr.io`, `127.0.0.1:5000`, `[::1]:5000`. */
  host: string;
  /** The name within the registry, such as `team/app`. */
  repository: string;
}

/** What a reference names; what it does not say is null. */
export interface ImageReference extends RepositoryName {
  tag: string | null;
  /** `sha256:` and 64 hex digits. */
  digest: string | null;
}

/** The longest text that can be a reference: a host, 255 characters of a name, a tag and a digest. */
const LONGEST = 255 + 255 + 128 + 80;

/** Parts of a reference, as the OCI distribution specification and Docker write them. */
const LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:.]+\\])(?::[0-9]{1,5})?$`);
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Whether a text is a tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a text is a digest: `sha256:` and 64 hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * Whether a host, or the host of a repository such as `127.0.0.1:5000/team`, is this machine's loopback: `localhost`,
 * 127.0.0.0/8 or `[::1]`.
 */
export function isLoopback(name: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d+)?(\/|$)/.test(name);
}

/** Whether the first part of a name is a host, by Docker's rule: it has a dot or a port, or is `localhost`. */
function looksLikeHost(text: string): boolean {
  return /[.:]/.test(text) || text.toLowerCase() === "localhost";
}

function isHost(host: string): boolean {
  if (!HOST.test(host) || host.length > 255) return false;
  const port = /:(\d+)$/.exec(host.replace(/^\[.*\]/, ""))?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  // 127.1, 0x7f.1 and 999.1.1.1 are no names: what a URL makes of them is another host, or none.
  return URL.canParse(`https://${host}/`) && new URL(`https://${host}/`).host === host.replace(/:443$/, "");
}

function refuse(
  what: string,
  fix = "write HOST/REPOSITORY:TAG, such as `ghcr.io/team/app:1.0.0`",
): FactoryError {
  return new FactoryError("REFERENCE_INVALID", what, { fix });
}

/**
 * Reads `oci://HOST/REPOSITORY[:TAG][@sha256:…]`; the scheme may be left out. Unlike in Docker, a name without a host is
 * not on Docker Hub.
 * @throws FactoryError REFERENCE_INVALID
 */
export function parseReference(text: string): ImageReference {
  if (text.length > LONGEST)
    throw refuse(`a reference has ${text.length} characters; at most ${LONGEST} are taken`);
  if (/@(?!sha256:)/.test(text))
    // Not quoted: a password may stand in it.
    throw refuse(
      "a reference may have `@sha256:` and a digest, and no other `@`",
      "log in with `docker login HOST`",
    );
  // Some other letters have one of these as their lower case.
  if (!/^[!-~]*$/.test(text)) throw refuse(`${quoted(text)} has a character that no reference has`);
  const [, scheme, name = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(text) ?? [];
  if (scheme !== undefined && scheme !== "oci")
    throw refuse(`${quoted(text)} has the scheme ${quoted(scheme)}`, "write `oci://`, or no scheme");
  const [before = "", digest = null, ...more] = name.split("@");
  if (more.length > 0 || (digest !== null && !isDigest(digest)))
    throw refuse(`${quoted(text)} has a digest that is not \`sha256:\` and 64 hex digits`);
  const slash = before.indexOf("/");
  const host = before.slice(0, Math.max(slash, 0)).toLowerCase();
  if (slash < 0 || !looksLikeHost(host))
    throw refuse(
      `${quoted(text)} does not say which registry it is in`,
      `write the host before it: \`HOST/${quoted(before).slice(1)}`,
    );
  if (!isHost(host)) throw refuse(`${quoted(text)}: ${quoted(host)} is not a host`);
  const [, repository = "", tag = null] = /^([^:]*)(?::(.*))?$/s.exec(before.slice(slash + 1)) ?? [];
  if (!REPOSITORY.test(repository) || repository.length > 255)
    throw refuse(
      `${quoted(text)}: ${quoted(repository)} is not the name of a repository`,
      "write lower-case letters and digits, with `.`, `_`, `__` or `-` between them, and `/` between parts",
    );
  if (tag !== null && !isTag(tag)) throw refuse(`${quoted(text)}: ${quoted(tag)} is not a tag`);
  return { host, repository, tag, digest };
}

/** The repository that a reference names, `HOST/REPOSITORY`; null for a text that is no reference. */
export function repositoryIn(text: string): string | null {
  try {
    return referenceText({ ...parseReference(text), tag: null, digest: null });
  } catch (error) {
    if (error instanceof FactoryError) return null;
    throw error;
  }
}

/** The reference as text, without a scheme. `parseReference` reads it back. */
export function referenceText({ host, repository, tag, digest }: ImageReference): string {
  return `${host}/${repository}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
}
