import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "../../errors.ts";
import { readRegular } from "../../files/read-regular.ts";
import { quoted } from "../../model/visible.ts";
import type { Exec } from "../exec.ts";

/** How to log in: with a name and a password, with a token that a token is given for, or with the token itself. */
export type Credentials =
  | { kind: "password"; username: string; password: string }
  | { kind: "identity"; token: string }
  | { kind: "registry"; token: string };

/** The log-in for a host; null where none is known. @throws FactoryError REGISTRY_LOGIN, TOOL_MISSING, INTERRUPTED */
export type CredentialsOf = (host: string) => Promise<Credentials | null>;

/** How Docker calls its own registry in its list. */
const DOCKER_HUB = "https://index.docker.io/v1/";

const MOST_CONFIG = 4 << 20;
const MOST_ANSWER = 256 * 1024;

/** A helper may ask a person to unlock something. */
const HELPER_MS = 60_000;

interface Entry {
  auth?: unknown;
  username?: unknown;
  password?: unknown;
  identitytoken?: unknown;
  registrytoken?: unknown;
}

interface Config {
  auths: ReadonlyMap<string, Entry>;
  helpers: ReadonlyMap<string, unknown>;
  store: unknown;
}

function refuse(what: string, fix: string): FactoryError {
  // Without a cause: what a parser says of a text quotes it.
  return new FactoryError("REGISTRY_LOGIN", what, { fix });
}

function entries(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

function readConfig(path: string): Config {
  let text: string | undefined;
  try {
    text = readRegular(realpathSync.native(path), MOST_CONFIG)?.bytes.toString("utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR")
      return { auths: new Map(), helpers: new Map(), store: undefined };
    throw refuse(`${quoted(path)} cannot be read (${code ?? "unknown"})`, "make it readable");
  }
  let config: unknown;
  try {
    config = JSON.parse(text ?? "");
  } catch {
    throw refuse(
      `${quoted(path)} is not a file with JSON`,
      "correct it, or log in again with `docker login`",
    );
  }
  const all = entries(config);
  return {
    auths: entries(all.get("auths")) as ReadonlyMap<string, Entry>,
    helpers: entries(all.get("credHelpers")),
    store: all.get("credsStore"),
  };
}

/** The host of a key of `auths`, which may be an address: `https://ghcr.io/v2/`. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** As an entry of `auths` says it; null for one that says nothing, such as what a store keeps. */
function ofEntry(entry: Entry | null | undefined, host: string): Credentials | null {
  if (typeof entry !== "object" || entry === null) return null;
  const { auth, username, password, identitytoken, registrytoken } = entry;
  if (isText(registrytoken)) return { kind: "registry", token: registrytoken };
  if (isText(identitytoken)) return { kind: "identity", token: identitytoken };
  if (isText(auth)) {
    const [, name, secret] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, "base64").toString("utf8")) ?? [];
    if (name === undefined || secret === undefined)
      throw refuse(
        `the log-in for ${host} in Docker's config.json is not base64 of a name, \`:\` and a password`,
        `log in again with \`docker login ${host}\``,
      );
    return { kind: "password", username: name, password: secret.replace(/\0+$/, "") };
  }
  if (isText(username) && isText(password)) return { kind: "password", username, password };
  return null;
}

/** As `docker-credential-NAME get` says it; null for "not found". */
async function ofHelper(
  name: unknown,
  server: string,
  { exec, signal }: CredentialDeps,
): Promise<Credentials | null> {
  if (!isText(name) || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw refuse(
      `Docker's config.json names ${quoted(String(name))} as a credential helper, which is no name of one`,
      "correct `credsStore` and `credHelpers`",
    );
  const program = `docker-credential-${name}`;
  const { exitCode, stdout, timedOut, aborted } = await exec(program, ["get"], {
    input: `${server}\n`,
    timeoutMs: HELPER_MS,
    maxBytes: MOST_ANSWER + 1,
    signal,
  });
  if (aborted || signal?.aborted)
    throw new FactoryError("INTERRUPTED", "interrupted while log-ins were looked for");
  // On failure it says why on stdout, by its protocol. On success a secret stands there: nothing of it is shown.
  if (exitCode !== 0 && /credentials not found/i.test(stdout)) return null;
  const by = `${program} get`;
  const fix = `run \`${by}\` by hand with ${quoted(server)} as its input`;
  if (stdout.length > MOST_ANSWER) throw refuse(`\`${by}\` said more than ${MOST_ANSWER} bytes`, fix);
  if (timedOut) throw refuse(`\`${by}\` did not end within ${HELPER_MS / 1000} s`, fix);
  if (exitCode !== 0) throw refuse(`\`${by}\` failed (${exitCode ?? "by a signal"})`, fix);
  let said: ReadonlyMap<string, unknown>;
  try {
    said = entries(JSON.parse(stdout));
  } catch {
    throw refuse(`\`${by}\` did not answer with JSON`, fix);
  }
  const [username, secret] = [said.get("Username"), said.get("Secret")];
  if (!isText(secret)) return null;
  if (username === "<token>") return { kind: "identity", token: secret };
  if (isText(username)) return { kind: "password", username, password: secret };
  throw refuse(`\`${by}\` gave no name of a user`, fix);
}

export interface CredentialDeps {
  env: { DOCKER_CONFIG?: string; HOME?: string };
  exec: Exec;
  signal?: AbortSignal;
}

/**
 * Log-ins as Docker's command line keeps them, in `config.json` of $DOCKER_CONFIG or `~/.docker`: the helper that
 * `credHelpers` has for the host, else `credsStore`, else `auths`. The file is read each time: a log-in may be new.
 */
export function dockerCredentials(deps: CredentialDeps): CredentialsOf {
  const { env } = deps;
  const path = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker"), "config.json");
  return async (host) => {
    const { auths, helpers, store } = readConfig(path);
    const server = /^(index\.|registry-1\.)?docker\.io$/.test(host) ? DOCKER_HUB : host;
    const helper = helpers.get(server) ?? helpers.get(host) ?? store;
    if (helper !== undefined && helper !== "") return ofHelper(helper, server, deps);
    const key = auths.has(server)
      ? server
      : [...auths.keys()].find((each) => hostOf(each) === hostOf(server));
    return key === undefined ? null : ofEntry(auths.get(key), host);
  };
}
