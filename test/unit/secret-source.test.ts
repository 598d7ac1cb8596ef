import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { DeclaredSource } from "../../src/model/secret.ts";
import { exec } from "../../src/tools/exec.ts";
import { obtainSecret } from "../../src/tools/secret-source.ts";
import { obtainSsh } from "../../src/tools/ssh-source.ts";
import { temporaryFolder } from "./workspace.ts";

const declared = (source: DeclaredSource["source"], more: Partial<DeclaredSource> = {}): DeclaredSource => ({
  source,
  only: null,
  mayLeave: false,
  where: { file: "factory.yaml", line: 3, col: 5 },
  ...more,
});

function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const root = realpathSync(temporaryFolder());
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  return root;
}

/** What a source gives; for an error its code, message and fix. */
async function obtain(
  source: DeclaredSource | DeclaredSource["source"],
  { root = folderWith(), env = {} }: { root?: string; env?: Record<string, string> } = {},
) {
  const from = "only" in source ? source : declared(source);
  try {
    return await obtainSecret("the secret `a`", from, { env, exec, root });
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    expect(error.where).toEqual({ file: "factory.yaml", line: 3, col: 5 });
    expect(error.fix).toMatch(/\S/);
    return `${error.code} ${error.message}`;
  }
}

const given = (value: string, path: string | null = null) => ({ value, path });
const sh = (script: string) => ({ command: ["sh", "-c", script] });

describe("a secret from a variable", () => {
  it("is its value, with every line break", async () => {
    expect(await obtain({ env: "A" }, { env: { A: "x\ny\n" } })).toEqual(given("x\ny\n"));
    expect(await obtain({ env: "A" }, { env: { A: "/no/such/file" } })).toEqual(given("/no/such/file"));
  });

  it("is missing where it is not set, empty, or the path of a file", async () => {
    const root = folderWith({ token: "x" });
    expect(await obtain({ env: "A" })).toBe("SECRET_MISSING the secret `a`: $A is not set");
    expect(await obtain({ env: "A" }, { env: { A: "" } })).toBe(
      "SECRET_MISSING the secret `a`: its value is empty",
    );
    expect(await obtain({ env: "A" }, { env: { A: " \n" } })).toContain("its value is empty");
    for (const A of [join(root, "token"), "./token", "../" + root.split("/").at(-1) + "/token"])
      expect(await obtain({ env: "A" }, { root, env: { A } })).toBe(
        "SECRET_MISSING the secret `a`: $A is the path of a file, not the value",
      );
  });

  it("is too large where Linux would take no such variable", async () => {
    expect(await obtain({ env: "A" }, { env: { A: "x".repeat(127 * 1024) } })).toMatchObject({ path: null });
    expect(await obtain({ env: "A" }, { env: { A: "x".repeat(127 * 1024 + 1) } })).toContain(
      "which only a file may have",
    );
  });
});

describe("a secret from a file", () => {
  it("is all of it, with its last line break", async () => {
    const root = folderWith({ token: "t\u00e9xt\n" });
    expect(await obtain({ file: "token" }, { root })).toEqual(given("t\u00e9xt\n"));
    expect(await obtain({ file: join(root, "token") })).toEqual(given("t\u00e9xt\n"));
  });

  it("is read by BuildKit's client itself where it is large", async () => {
    const root = folderWith({ large: "x".repeat(200 * 1024), larger: "x".repeat(500 * 1024 + 1) });
    expect(await obtain({ file: "large" }, { root })).toEqual(
      given("x".repeat(200 * 1024), join(root, "large")),
    );
    expect(await obtain({ file: "larger" }, { root })).toContain("`larger` has more than 500 KiB");
  });

  it.each<[string, (root: string) => void, string]>([
    ["there is none", () => undefined, "`a`: there is no such file"],
    ["it is empty", (root) => writeFileSync(join(root, "a"), ""), "its value is empty"],
    ["it is a folder", (root) => mkdirSync(join(root, "a")), "`a` is not a regular file"],
    ["it is a pipe", (root) => void spawnSync("mkfifo", [join(root, "a")]), "`a` is not a regular file"],
    ["it is a device", (root) => symlinkSync("/dev/zero", join(root, "a")), "leads out of the workspace"],
    ["it is a link in a loop", (root) => symlinkSync("a", join(root, "a")), "it cannot be read (ELOOP)"],
    ["it has a NUL", (root) => writeFileSync(join(root, "a"), "x\0y"), "`a` has a NUL byte"],
    [
      "it is no text",
      (root) => writeFileSync(join(root, "a"), Buffer.from([0xff, 0xfe, 65])),
      "`a` is not UTF-8 text",
    ],
  ])("is missing where %s", async (_, make, words) => {
    const root = folderWith();
    make(root);
    expect(await obtain({ file: "a" }, { root })).toContain(words);
  });

  it("never comes from outside by a link, unless a path says so", async () => {
    const outside = folderWith({ token: "from outside" });
    const root = folderWith();
    symlinkSync(join(outside, "token"), join(root, "a"));
    symlinkSync(outside, join(root, "folder"));
    for (const file of ["a", "folder/token"])
      expect(await obtain({ file }, { root })).toMatch(
        /^FILE_OUTSIDE the secret `a`: .* leads out of the workspace$/,
      );
    const local = declared({ file: "a" }, { mayLeave: true });
    expect(await obtain(local, { root })).toEqual(given("from outside"));
    symlinkSync(join(outside, "token"), join(outside, "link"));
    expect(await obtain({ file: join(outside, "link") }, { root })).toEqual(given("from outside"));
  });
});

describe("a secret from a command", () => {
  it("is what it says without one line break at the end, in the folder of the workspace", async () => {
    const root = folderWith({ token: "x" });
    expect(await obtain(sh("echo; cat token; echo; echo; echo noise >&2"), { root })).toEqual(given("\nx\n"));
    expect(await obtain({ command: ["printf", "%s\\r\\n", "$(id) `id`"] })).toEqual(given("$(id) `id`"));
  });

  it.each<[string, DeclaredSource["source"], string]>([
    [
      "there is no such program",
      { command: ["no-such-program-here"] },
      "`no-such-program-here` is not installed",
    ],
    ["it fails", sh("echo it is locked >&2; exit 3"), "the command `sh` failed (3): it is locked"],
    ["a signal ends it", sh("kill -9 $$"), "failed (by a signal)"],
    ["it says nothing", sh("echo not logged in >&2"), "said nothing: not logged in"],
    ["it says a NUL", sh("printf 'a\\0b'"), "has a NUL byte"],
    ["it says no text", sh("printf '\\377\\376A'"), "is not UTF-8 text"],
    ["it says too much", sh("head -c 600000 /dev/zero | tr '\\0' x"), "said more than 130048 bytes"],
  ])("is missing where %s", async (_, source, words) => {
    expect(await obtain(source)).toContain(words);
  });

  it("is in no message, also where the command says it to both", async () => {
    const said = await obtain(sh("echo s3cret-value-of-mine; echo got s3cret-value-of-mine >&2; exit 1"));
    expect(said).toBe("SECRET_MISSING the secret `a`: the command `sh` failed (1): got ***");
  });

  it("ends when the run does", async () => {
    const signal = AbortSignal.timeout(50);
    await expect(
      obtainSecret("x", declared(sh("exec sleep 60")), { env: {}, exec, root: folderWith(), signal }),
    ).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("a key for SSH", () => {
  const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from("openssh-key-v1\0\0\0\0\u0004none\0\0").toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
  const ask = (source: DeclaredSource["source"], root: string, env: Record<string, string> = {}) => {
    try {
      return obtainSsh("the SSH key `default`", declared(source), { env, exec, root });
    } catch (error) {
      return `${(error as FactoryError).code} ${(error as FactoryError).message}`;
    }
  };

  it("is the socket of an agent, or a private key, by its path", () => {
    const root = folderWith({ key: KEY });
    const server = createServer().listen(join(root, "socket"));
    onTestFinished(() => void server.close());
    expect(ask({ env: "SOCK" }, root, { SOCK: join(root, "socket") })).toEqual(
      given("", join(root, "socket")),
    );
    expect(ask({ file: "key" }, root)).toEqual(given(KEY, join(root, "key")));
    expect(ask({ env: "SOCK" }, root, { SOCK: join(root, "key") })).toEqual(given(KEY, join(root, "key")));
  });

  it.each<[string, string | Uint8Array, string]>([
    ["something else", "ssh-ed25519 AAAA me", "`a` is neither the socket of an agent nor a private key"],
    [
      "an old key with a passphrase",
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
      "is locked by a passphrase",
    ],
    [
      "a key with a passphrase",
      KEY.replace(/\n.*\n/, `\n${Buffer.from("openssh-key-v1\0 aes256-ctr bcrypt").toString("base64")}\n`),
      "is locked by a passphrase",
    ],
  ])("is missing where it is %s", (_, content, words) => {
    expect(ask({ file: "a" }, folderWith({ a: content }))).toContain(words);
  });

  it("is missing where there is none", () => {
    const root = folderWith();
    expect(ask({ env: "SOCK" }, root)).toBe("SECRET_MISSING the SSH key `default`: $SOCK is not set");
    expect(ask({ env: "SOCK" }, root, { SOCK: "/no/such" })).toContain("there is no such file");
    writeFileSync(join(root, "a,b"), KEY);
    expect(ask({ file: "a,b" }, root)).toContain("has a comma");
    spawnSync("mkfifo", [join(root, "pipe")]);
    expect(ask({ file: "pipe" }, root)).toContain("is not a regular file");
  });
});
