import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { familyOf } from "../unit/parents-made.ts";
import { describeEngine, docker, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesIn, imagesOfTest, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

interface Layer {
  layer: number;
  same: string;
  made_by: { fragment: string | null; line: number; instruction: string } | null;
  differing: number;
  times: number;
  changes: { path: string; how: string[]; cause: string; package: string | null }[];
}

interface Found {
  outcome: string;
  recorded: string;
  rebuilt: string | null;
  layers: Layer[];
  config: string[];
  drift: { name: string; from: string[]; to: string[]; fragment: string | null }[];
  missing: { what: string; why: string }[];
}

/** Files of a fragment beside its Dockerfile. */
function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text, { mode: 0o644 });
}

async function run(
  root: string,
  env: Record<string, string> = {},
): Promise<{ record_id: string; image: { ref: string; digest: string } }> {
  const { exitCode, stdout, stderr } = await factory(root, ["run", "--manifest-id", "app", "--json"], {
    env,
  });
  expect(exitCode, stderr + stdout).toBe(0);
  const { results } = JSON.parse(stdout) as {
    results: { record_id: string; image: { ref: string; digest: string } }[];
  };
  if (!results[0]) throw new Error("no result");
  return results[0];
}

async function reproduce(
  root: string,
  args: string[],
  exit: number,
  env: Record<string, string> = {},
): Promise<Found> {
  const { exitCode, stdout, stderr } = await factory(root, ["reproduce", ...args, "--json"], { env });
  expect(exitCode, stderr + stdout).toBe(exit);
  return JSON.parse(stdout) as Found;
}

/** A package that each build has in another version, as it is when an archive goes on. */
const PACKAGE = `RUN --network=none mkdir -p /var/lib/dpkg/info /usr/lib \\
 && read -r id < /proc/sys/kernel/random/uuid \\
 && echo "Package: openssl\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 3.0.$id\\nMaintainer: x <x@example.org>\\nDescription: x\\n" > /var/lib/dpkg/status \\
 && echo "/.\\n/usr/lib/libssl.so" > /var/lib/dpkg/info/openssl.list \\
 && echo "$id" > /usr/lib/libssl.so`;

describeEngine("reproduce", () => {
  test(
    "the same content from the workspace, from its commit, and without its image; and nothing is left behind",
    { timeout: 240_000 },
    async () => {
      const repository = imagesOfTest();
      const root = makeWorkspace(
        {
          fragments: {
            core: { "0.1.0": { body: "RUN --network=none mkdir /core && touch /core/made" } },
            app: { "0.1.0": { body: 'COPY {{file "app.sh"}} /app.sh' } },
          },
          base: tinyBase(),
        },
        repository,
      );
      put(root, "fragments/app/0.1.0/app.sh", "echo app\n");
      put(root, ".gitignore", ".factory\nrecords\n");
      const git = (...argv: string[]) =>
        execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...argv], { cwd: root });
      git("init", "--quiet");
      git("add", ".");
      git("commit", "--quiet", "--message", "x");
      const { record_id, image } = await run(root);
      const before = imagesIn(repository);
      expect(before).toHaveLength(1);

      const same = await reproduce(root, [record_id], 0);
      expect(same).toMatchObject({ outcome: "same-content", config: [], drift: [], missing: [] });
      expect(same.layers.map((one) => one.same)).toContain("same-content");
      expect(same.layers[0]).toMatchObject({ same: "identical", made_by: null });
      const [core, app] = same.layers.slice(1);
      expect(core).toMatchObject({ differing: 0, made_by: { fragment: "core@0.1.0" } });
      expect(core?.made_by?.instruction).toContain("mkdir /core");
      expect(app?.made_by).toMatchObject({ fragment: "app@0.1.0" });
      expect(imagesIn(repository)).toEqual(before);
      expect(readdirSync(join(root, ".factory/run"))).toEqual([]);
      expect(readdirSync(join(root, "records/app")).filter((name) => name.endsWith(".json"))).toEqual([
        `${record_id}.json`,
      ]);

      // The file was edited since: the commit has it as it was.
      put(root, "fragments/app/0.1.0/app.sh", "echo another\n");
      expect(await reproduce(root, [record_id], 0)).toMatchObject({ outcome: "same-content", missing: [] });

      docker(["image", "rm", "--force", image.ref]);
      const gone = await reproduce(root, [record_id], 2);
      expect(gone).toMatchObject({ outcome: "incomplete", missing: [{ what: `the image ${image.digest}` }] });
      expect(gone.layers[0]).toMatchObject({ same: "identical" });

      execFileSync("rm", ["-rf", join(root, ".git")]);
      const lost = await reproduce(root, [record_id], 2);
      expect(lost).toMatchObject({ outcome: "incomplete", rebuilt: null });
      expect(lost.missing.map(({ what }) => what)).toEqual(["fragments/app/0.1.0/app.sh"]);
      expect(readdirSync(join(root, ".factory/run"))).toEqual([]);
    },
  );

  test(
    "what drifted is told from what is never the same, each with the fragment that made it",
    { timeout: 240_000 },
    async () => {
      const restless = "RUN --network=none cat /proc/sys/kernel/random/uuid > /stamp";
      const root = makeWorkspace(
        {
          fragments: {
            security: { "0.1.0": { body: PACKAGE } },
            restless: { "0.2.0": { body: restless } },
          },
          base: tinyBase(),
        },
        imagesOfTest(),
      );
      const { record_id, image } = await run(root);
      for (const what of [record_id, image.ref]) {
        const { stdout, stderr } = await factory(root, ["inspect", what, "--json"]);
        const { fragments } = JSON.parse(stdout) as { fragments: Record<string, unknown>[] };
        expect(fragments, stderr).toMatchObject([
          { fragment: "base", layers: 1, packages: 0 },
          { fragment: "security@0.1.0", layers: 1, packages: 1, files: 3 },
          { fragment: "restless@0.2.0", layers: 1, packages: 0, bytes: 37 },
        ]);
      }
      const { stdout: nothing } = await factory(root, ["diff", record_id, image.ref]);
      expect(nothing).toContain("nothing differs");
      const bom = await factory(root, ["sbom", image.ref]);
      expect(bom.stdout).toMatch(/"name": "factory:fragment",\s+"value": "security@0\.1\.0"/);

      const found = await reproduce(root, [record_id], 1);
      expect(found.outcome).toBe("different");
      expect(found.drift).toEqual([expect.objectContaining({ name: "openssl", fragment: "security@0.1.0" })]);
      const [, drifted, stamped] = found.layers;
      expect(drifted?.changes.map(({ path, cause, package: owner }) => [path, cause, owner])).toEqual([
        ["/usr/lib/libssl.so", "drift", "openssl"],
        ["/var/lib/dpkg/status", "drift", null],
      ]);
      expect(stamped).toMatchObject({
        made_by: { fragment: "restless@0.2.0" },
        changes: [{ path: "/stamp", how: ["content", "times"], cause: "unexplained" }],
      });
      expect((await reproduce(root, [record_id, "--update"], 1)).outcome).toBe("different");
      const { stdout } = await factory(root, ["reproduce", record_id]);
      expect(stdout).toMatch(/drift of packages: openssl 3\.0\.\S+ → 3\.0\.\S+ by fragment security@0\.1\.0/);
      expect(stdout).toContain("not the same each time: 1 by restless@0.2.0, such as /stamp");
    },
  );

  test(
    "byte for byte where times are fixed; a child on its parent's image; with secrets only where asked",
    { timeout: 240_000 },
    async () => {
      const epoch = { SOURCE_DATE_EPOCH: "1700000000" };
      const copied = makeWorkspace(
        { fragments: { core: { "0.1.0": { body: 'COPY {{file "x"}} /' } } }, base: tinyBase() },
        imagesOfTest(),
      );
      put(copied, "fragments/core/0.1.0/x", uniqueName("x"));
      const { record_id } = await run(copied, epoch);
      const same = await reproduce(copied, [record_id], 0, { SOURCE_DATE_EPOCH: "1" });
      expect(same).toMatchObject({ outcome: "identical", rebuilt: same.recorded });

      const secret = { TOKEN_OF_TEST: "0123456789abcdef" };
      const body = `RUN --network=none --mount=type=secret,id=token cat /run/secrets/token >/dev/null; echo ${uniqueName("x")} > /x`;
      const secrets = makeWorkspace(
        { fragments: { core: { "0.1.0": { body, yaml: "secrets: [token]\n" } } }, base: tinyBase() },
        imagesOfTest(),
      );
      put(secrets, "factory.local.yaml", "schema_version: 1\nsecrets: {token: {env: TOKEN_OF_TEST}}\n");
      const { record_id: withSecret } = await run(secrets, secret);
      const refused = await reproduce(secrets, [withSecret], 2, secret);
      expect(refused.missing).toMatchObject([{ what: "the secrets `token`" }]);
      await reproduce(secrets, [withSecret, "--secrets"], 0, secret);

      const family = temporaryFolder();
      const files = {
        ...familyOf({ top: null, leaf: "top" }),
        "factory.yaml": `schema_version: 1\nrepository: ${imagesOfTest()}\n`,
      };
      for (const [path, text] of Object.entries(files))
        if (text !== null) put(family, path, text.replaceAll("debian:bookworm-slim", tinyBase()));
      const { exitCode, stdout } = await factory(family, ["run", "--all", "--json"]);
      expect(exitCode).toBe(0);
      const { results } = JSON.parse(stdout) as { results: { cell_id: string; record_id: string }[] };
      const leaf = results.find(({ cell_id }) => cell_id.startsWith("leaf."))?.record_id ?? "";
      expect(["identical", "same-content"]).toContain((await reproduce(family, [leaf], 0)).outcome);
    },
  );

  test("an interrupted one ends with 130, and leaves nothing", { timeout: 120_000 }, async () => {
    const nonce = uniqueName("nonce");
    const root = makeWorkspace(
      {
        fragments: {
          core: { "0.1.0": { body: `RUN --network=none sleep 4; echo ${nonce} > /core` } },
        },
        base: tinyBase(),
      },
      imagesOfTest(),
    );
    const { record_id } = await run(root);
    let sent = false;
    const { exitCode, stdout } = await factory(root, ["reproduce", record_id, "--json"], {
      onStderr: (text, pid) => {
        if (sent || !text.includes("building again")) return;
        sent = true;
        process.kill(pid, "SIGINT");
      },
    });
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INTERRUPTED" } });
    expect(readdirSync(join(root, ".factory/run"))).toEqual([]);
    expect(await factory(root, ["records", "verify"])).toMatchObject({ exitCode: 0 });
  });
});
