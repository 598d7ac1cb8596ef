import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { describeEngine, registry, temporaryFolder } from "./engine.ts";
import { makeKey } from "./proof-keys.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Scanned {
  status: string;
  why: string;
  findings: { id: string; package: string; fixed: string | null }[];
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A key that signs an archive, made now, and its keyring. */
function archiveKey() {
  const home = temporaryFolder();
  const gpg = (argv: string[], input?: string) =>
    execFileSync(
      "gpg",
      ["--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", ...argv],
      {
        input,
        stdio: ["pipe", "pipe", "ignore"],
      },
    );
  onTestFinished(() => {
    execFileSync("gpgconf", ["--homedir", home, "--kill", "all"], { stdio: "ignore" });
  });
  gpg(["--quick-generate-key", "archive@example.org", "ed25519", "sign", "never"]);
  const keyring = join(home, "archive.gpg");
  writeFileSync(keyring, gpg(["--export"]));
  return { keyring, sign: (text: string) => gpg(["--clear-sign"], text) };
}

/** An archive of security updates on loopback. `files` may be changed by a test. */
async function archive(key: ReturnType<typeof archiveKey>) {
  const files = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const found = files.get(request.url ?? "");
    response.writeHead(found ? 200 : 404).end(found);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place = "/dists/bookworm-security";
  const path = "main/binary-amd64/Packages.xz";
  /** Publishes these versions, as Debian does. */
  const publish = (versions: Record<string, string>, until = "Sat, 01 Jan 2180 00:00:00 UTC") => {
    const text = Object.entries(versions).map(([name, version]) => `Package: ${name}\nVersion: ${version}\n`);
    const packed = execFileSync("xz", ["--stdout"], { input: text.join("\n") });
    const now = new Date().toUTCString().replace("GMT", "UTC");
    const release = `Suite: stable-security\nDate: ${now}\nValid-Until: ${until}\nSHA256:\n ${sha256(packed)} ${packed.length} ${path}\n`;
    files.set(`${place}/InRelease`, key.sign(release));
    files.set(`${place}/${path}`, packed);
  };
  const env = { FACTORY_DEBIAN_SECURITY: mirror, FACTORY_DEBIAN_KEYRING: key.keyring };
  return { publish, env, files, index: `${place}/${path}` };
}

describeEngine("a scan of a real image", () => {
  test(
    "finds Debian's pending updates, which keep it from being promoted; and believes no archive that Debian did not sign",
    { timeout: 300_000 },
    async () => {
      const repository = imagesOfTest(`${registry}/`);
      const root = makeWorkspace(
        {
          fragments: { core: { "0.1.0": { body: "ENV X=1" } } },
          manifest: "smoke:\n  - {id: shell, command: {argv: [sh, -c, exit]}}\n",
          plans: { all: "axes: {core: [0.1.0]}\n" },
        },
        repository,
      );
      for (const folder of ["products", "policies"]) mkdirSync(join(root, `control_plane/${folder}`));
      writeFileSync(
        join(root, "control_plane/policies/release.yaml"),
        "schema_version: 1\npolicy_id: release\npromotion: {requires: [sbom, scan]}\nscan: {fail_on: low}\n",
      );
      writeFileSync(
        join(root, "control_plane/products/app.yaml"),
        `schema_version: 1\nproduct_id: app\nmanifest_id: app\nrepository: ${repository}/public\ntags: [latest]\npolicy: release\nchannels: {stable: {repository: ${repository}/stable}}\n`,
      );
      const own = await archive(archiveKey());
      const key = makeKey();
      const call = async <T>(
        argv: string[],
        expected: number,
        more: Record<string, string> = {},
      ): Promise<T> => {
        const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"], {
          env: { ...own.env, ...more },
        });
        expect(exitCode, stderr + stdout).toBe(expected);
        return JSON.parse(stdout) as T;
      };
      const { results } = await call<{ results: { record_id: string }[] }>(
        ["run", "--plan", "all", "--push"],
        0,
      );
      const id = results[0]?.record_id ?? "";
      await call(["publish", "--product", "app"], 0);
      const scan = (expected: number, ...argv: string[]) =>
        call<Scanned>(["scan", id, "--scanner", "debian", ...argv], expected, key.env);
      const promote = (expected: number) =>
        call<{ changes: unknown[]; missing: { why: string }[] }>(
          ["promote", "--product", "app", "--to", "stable"],
          expected,
        );

      expect((await promote(1)).missing[0]?.why).toContain("it was not scanned");
      own.publish({ "base-files": "99", "no-such-package": "99", dpkg: "0.1" });
      const failed = await scan(1);
      expect(failed).toMatchObject({ status: "failed" });
      expect(failed.findings.map(({ id: name, fixed }) => [name, fixed])).toEqual([
        ["debian-security:base-files", "99"],
      ]);
      expect((await promote(1)).missing[0]?.why).toContain(
        "scan on linux/amd64: failed: debian-security:base-files",
      );

      // What is not signed by the archive's key, is not what was signed, or is not valid any more, judges nothing.
      const good = own.files.get(own.index) ?? Buffer.of();
      own.files.set(own.index, Buffer.concat([good, Buffer.of(0)]));
      expect((await scan(1)).why).toContain("is not what Debian signed");
      own.files.set(own.index, good);
      const other = { FACTORY_DEBIAN_KEYRING: archiveKey().keyring };
      expect(await call(["scan", id, "--scanner", "debian"], 1, other)).toMatchObject({
        status: "not-scanned",
      });
      own.publish({ dpkg: "0.1" }, "Sat, 01 Jan 2022 00:00:00 UTC");
      expect((await scan(1)).why).toContain("was valid until 2022-01-01");

      own.publish({ dpkg: "0.1" });
      expect(await scan(0, "--push")).toMatchObject({ status: "passed", attached: 2 });
      expect((await promote(0)).changes).toHaveLength(1);
    },
  );
});
