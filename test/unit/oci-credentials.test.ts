import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { exec } from "../../src/tools/exec.ts";
import { type Credentials, dockerCredentials } from "../../src/tools/oci/credentials.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "factory-docker-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** What Docker's configuration, as JSON or as text, says of a host. */
async function lookUp(config: object | string, host: string, bin?: string): Promise<Credentials | null> {
  const home = folder();
  writeFileSync(join(home, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  // Helpers are looked for where the process looks for programs.
  const run: typeof exec = (file, argv, options) =>
    exec(bin === undefined ? file : join(bin, file), argv, options);
  return dockerCredentials({ env: { DOCKER_CONFIG: home }, exec: run })(host);
}

async function refused(promise: Promise<unknown>): Promise<FactoryError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FactoryError);
  return error as FactoryError;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const ADA = { kind: "password", username: "ada", password: "secret:with:colons" };
const auth = base64("ada:secret:with:colons");

describe("log-ins in config.json", () => {
  it.each([
    ["ghcr.io", "ghcr.io"],
    ["https://ghcr.io", "ghcr.io"],
    ["https://ghcr.io/v2/", "ghcr.io"],
    ["http://127.0.0.1:5000", "127.0.0.1:5000"],
    ["https://index.docker.io/v1/", "docker.io"],
    ["https://index.docker.io/v1/", "index.docker.io"],
    ["https://index.docker.io/v1/", "registry-1.docker.io"],
  ])("of %s are for %s", async (key, host) => {
    expect(await lookUp({ auths: { [key]: { auth } } }, host)).toEqual(ADA);
    expect(await lookUp({ auths: { [key]: { auth } } }, "other.example")).toBe(null);
  });

  it.each(["ghcr.io.evil.example", "evil.example", "ghcr.io:444", "xghcr.io", "__proto__", "constructor"])(
    "of ghcr.io are not for %s",
    async (host) => expect(await lookUp({ auths: { "ghcr.io": { auth } } }, host)).toBe(null),
  );

  it.each<[object, Credentials | null]>([
    [
      { auth, identitytoken: "identity" },
      { kind: "identity", token: "identity" },
    ],
    [
      { registrytoken: "registry", identitytoken: "identity" },
      { kind: "registry", token: "registry" },
    ],
    [
      { username: "ada", password: "pw" },
      { kind: "password", username: "ada", password: "pw" },
    ],
    [{ auth: base64("ada:pw\0\0") }, { kind: "password", username: "ada", password: "pw" }],
    [{ auth: base64("ada:") }, { kind: "password", username: "ada", password: "" }],
    [{}, null],
    [{ auth: "" }, null],
    [{ auth: 7 }, null],
  ])("may be %j", async (entry, credentials) => {
    expect(await lookUp({ auths: { "ghcr.io": entry } }, "ghcr.io")).toEqual(credentials);
  });

  it("are none where there is no file, and in ~/.docker by default; a link to the file is followed", async () => {
    const home = folder();
    const credentials = dockerCredentials({ env: { HOME: home }, exec });
    expect(await credentials("ghcr.io")).toBe(null);
    writeFileSync(join(home, "real.json"), JSON.stringify({ auths: { "ghcr.io": { auth } } }));
    mkdirSync(join(home, ".docker"));
    symlinkSync("../real.json", join(home, ".docker/config.json"));
    expect(await credentials("ghcr.io")).toEqual(ADA);
  });

  it.each(["{", `{"auths": {"ghcr.io": {"auth": "${auth}" x`, ""])(
    "that are no JSON are not shown: %#",
    async (text) => {
      const error = await refused(lookUp(text, "ghcr.io"));
      expect(error.code).toBe("REGISTRY_LOGIN");
      expect(error.message).toContain("is not a file with JSON");
      expect(error.cause).toBe(undefined);
      expect(`${error.message} ${error.fix} ${error.stack}`).not.toContain(auth);
    },
  );

  it("that are no base64 of a name and a password are not shown", async () => {
    const error = await refused(
      lookUp({ auths: { "ghcr.io": { auth: base64("only-a-token") } } }, "ghcr.io"),
    );
    expect(error.code).toBe("REGISTRY_LOGIN");
    expect(`${error.message} ${error.fix}`).not.toMatch(/only-a-token|b25seS1h/);
  });

  it.each([
    [],
    null,
    7,
    { auths: [] },
    { auths: null },
    { auths: { "ghcr.io": null } },
    { auths: 7, credHelpers: 7 },
  ])("may be missing in any way: %j", async (config) =>
    expect(await lookUp(JSON.stringify(config), "ghcr.io")).toBe(null),
  );

  it("are not waited for at a pipe", async () => {
    const home = folder();
    execFileSync("mkfifo", [join(home, "config.json")]);
    const error = await refused(dockerCredentials({ env: { DOCKER_CONFIG: home }, exec })("ghcr.io"));
    expect(error.code).toBe("REGISTRY_LOGIN");
  });
});

describe("credential helpers", () => {
  /** A program that is asked for log-ins; `$server` is what it was asked for. */
  function helper(name: string, script: string): string {
    const bin = folder();
    const path = join(bin, `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\n[ "$#" = 1 ] && [ "$1" = get ] || exit 9\nread -r server\n${script}\n`);
    chmodSync(path, 0o755);
    return bin;
  }
  const answer = 'printf \'{"ServerURL":"%s","Username":"%s","Secret":"pw"}\' "$server" "user-of-$server"';

  it("get the host on stdin, and Docker Hub by Docker's name for it", async () => {
    const bin = helper("test", answer);
    for (const [host, server] of [
      ["ghcr.io", "ghcr.io"],
      ["docker.io", "https://index.docker.io/v1/"],
    ] as const)
      expect(await lookUp({ credsStore: "test" }, host, bin)).toEqual({
        kind: "password",
        username: `user-of-${server}`,
        password: "pw",
      });
  });

  it("of a host come before the store, and the store before the file", async () => {
    const bin = helper("own", answer);
    const auths = { "ghcr.io": { auth } };
    const config = { auths, credHelpers: { "ghcr.io": "own" }, credsStore: "missing" };
    expect(await lookUp(config, "ghcr.io", bin)).toMatchObject({ username: "user-of-ghcr.io" });
    expect(await lookUp({ auths, credsStore: "own" }, "ghcr.io", bin)).toMatchObject({
      username: "user-of-ghcr.io",
    });
    expect(await lookUp({ auths, credHelpers: { "quay.io": "own" } }, "ghcr.io", bin)).toEqual(ADA);
  });

  it("may give an identity token, or nothing", async () => {
    const token = helper("token", 'echo \'{"Username":"<token>","Secret":"identity"}\'');
    expect(await lookUp({ credsStore: "token" }, "ghcr.io", token)).toEqual({
      kind: "identity",
      token: "identity",
    });
    const none = helper("none", "echo 'credentials not found in native keychain'; exit 1");
    expect(await lookUp({ credsStore: "none" }, "ghcr.io", none)).toBe(null);
    const empty = helper("empty", 'echo \'{"Username":"","Secret":""}\'');
    expect(await lookUp({ credsStore: "empty" }, "ghcr.io", empty)).toBe(null);
  });

  it.each([
    ["echo leaked-secret; echo leaked-secret >&2; exit 1", "failed (1)"],
    ["echo leaked-secret", "did not answer with JSON"],
    ['echo \'{"Secret":"leaked-secret"}\'', "gave no name of a user"],
    ['printf \'{"Username":"u","Secret":"leaked-secret%0300000d"}\' 0', "said more than 262144 bytes"],
  ])("that fail do not have their output shown: %s", async (script, why) => {
    const error = await refused(lookUp({ credsStore: "bad" }, "ghcr.io", helper("bad", script)));
    expect(error.code).toBe("REGISTRY_LOGIN");
    expect(error.message).toContain(why);
    expect(`${error.message} ${error.fix} ${error.stack} ${String(error.cause)}`).not.toContain(
      "leaked-secret",
    );
  });

  it("that are not installed are named", async () => {
    const error = await refused(lookUp({ credsStore: "no-such-helper" }, "ghcr.io"));
    expect([error.code, error.message]).toEqual([
      "TOOL_MISSING",
      "docker-credential-no-such-helper is not installed",
    ]);
  });

  it.each(["../../bin/sh", "a/b", "-x", "a b", 7, {}, "\u001b[2J"])(
    "have a name, and no path: %j",
    async (name) => {
      const error = await refused(lookUp({ credsStore: name }, "ghcr.io"));
      expect(error.message).toContain("which is no name of one");
      expect(error.message).not.toContain("\u001b");
    },
  );

  it("end with a signal", async () => {
    const home = folder();
    const bin = helper("slow", "exec sleep 60");
    writeFileSync(join(home, "config.json"), JSON.stringify({ credsStore: "slow" }));
    const controller = new AbortController();
    const run: typeof exec = (file, argv, options) => {
      const running = exec(join(bin, file), argv, options);
      controller.abort();
      return running;
    };
    const asked = dockerCredentials({ env: { DOCKER_CONFIG: home }, exec: run, signal: controller.signal })(
      "ghcr.io",
    );
    expect((await refused(asked)).code).toBe("INTERRUPTED");
  });
});
