import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Moved {
  changes: { ref: string; from: string | null; to: string; record_ids: string[] }[];
  missing: { what: string; why: string }[];
  unchanged: number;
}
interface Index {
  mediaType: string;
  manifests: { digest: string; platform: Record<string, string>; annotations?: Record<string, string> }[];
  annotations?: Record<string, string>;
}

const PLATFORMS = ["linux/amd64", "linux/arm64"];

/**
 * A folder with a `docker` that is the real one, but has the builder say that it builds arm64: these images hold a file and run
 * nothing, so it does, without an emulator.
 */
function withArm64(): string {
  const folder = temporaryFolder();
  const real = execFileSync("sh", ["-c", "command -v docker"], { encoding: "utf8" }).trim();
  const script = `#!/bin/sh
[ "$1 $2" = "buildx inspect" ] || exec ${real} "$@"
${real} "$@" | sed 's|^Platforms: .*|&, linux/arm64|'
`;
  writeFileSync(join(folder, "docker"), script, { mode: 0o755 });
  return folder;
}

/** A workspace with two versions on two platforms, whose images hold one file, and a product with a channel. */
function published() {
  const repository = imagesOfTest(`${registry}/`);
  const body = (version: string) => ({ body: `COPY {{file "hello"}} /hello\nENV VERSION=${version}` });
  const root = makeWorkspace(
    {
      fragments: { core: { "0.1.0": body("1"), "0.2.0": body("2") } },
      base: "scratch",
      manifest: "smoke:\n  - {id: hello, file: {path: /hello, exists: true}}\n",
      plans: { both: `axes: {core: [0.1.0, 0.2.0], platform: [${PLATFORMS.join(", ")}]}\n` },
    },
    repository,
  );
  for (const version of ["0.1.0", "0.2.0"])
    writeFileSync(join(root, `fragments/core/${version}/hello`), uniqueName("hello"));
  mkdirSync(join(root, "control_plane/products"));
  mkdirSync(join(root, "control_plane/policies"));
  const product = `${repository}/public`;
  writeFileSync(
    join(root, "control_plane/policies/release.yaml"),
    "schema_version: 1\npolicy_id: release\npromotion: {max_age_days: 2}\n",
  );
  writeFileSync(
    join(root, "control_plane/products/app.yaml"),
    `schema_version: 1
product_id: app
manifest_id: app
repository: ${product}
tags: ["{{core.version}}", "{{core.major}}", latest]
policy: release
channels: {stable: {repository: ${repository}/stable}}
`,
  );
  const env = { PATH: `${withArm64()}:${process.env.PATH ?? ""}` };
  const call = async (argv: string[], expected = 0): Promise<Moved> => {
    const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"], { env });
    expect(exitCode, stderr + stdout).toBe(expected);
    return JSON.parse(stdout) as Moved;
  };
  const run = async (more: string[] = []) => {
    const argv = ["run", "--plan", "both", "--push", "--reuse", ...more, "--json"];
    const { exitCode, stdout, stderr } = await factory(root, argv, { env });
    expect(exitCode, stderr + stdout).toBe(0);
  };
  return { root, repository, product, call, run, env };
}

const raw = (ref: string): Index =>
  JSON.parse(docker(["buildx", "imagetools", "inspect", "--raw", ref])) as Index;

const digestOf = (ref: string): string => sha256(docker(["buildx", "imagetools", "inspect", "--raw", ref]));

describeEngine("publishing", () => {
  test(
    "joins what is proven, moves its tags, and promotes them by digest",
    { timeout: 300_000 },
    async () => {
      const { root, repository, product, call, run } = published();
      const names = ["0.1.0", "0.2.0", "0", "latest"].map((tag) => `${product}:${tag}`);

      // Nothing is proven: nothing is moved, and it is said why.
      const nothing = await call(["publish", "--product", "app"], 1);
      expect(nothing.changes).toEqual([]);
      expect(nothing.missing.map(({ what }) => what)).toEqual(names);
      await run(["--platform", "linux/amd64"]);
      const half = await call(["publish", "--product", "app"], 1);
      expect(half.changes).toEqual([]);
      expect(half.missing[0]?.why).toContain("app.core-0.1.0.linux-arm64 is not proven");

      await run();
      const planned = await call(["publish", "--product", "app", "--dry-run"]);
      expect(planned.changes.map(({ ref, from }) => [ref, from])).toEqual(names.map((ref) => [ref, null]));
      expect(planned.changes[0]?.record_ids).toHaveLength(2);
      const done = await call(["publish", "--product", "app"]);
      expect(done).toEqual(planned);
      expect(await call(["publish", "--product", "app"])).toEqual({ changes: [], missing: [], unchanged: 4 });

      // One index: the images of both platforms as they were tested, and their attestations.
      const index = raw(`${product}:latest`);
      const images = index.manifests.filter(({ annotations }) => !annotations?.["vnd.docker.reference.type"]);
      expect(images.map(({ platform }) => Object.values(platform).sort().join(" "))).toEqual([
        "amd64 linux",
        "arm64 linux",
      ]);
      const attested = index.manifests.map(({ annotations }) => annotations?.["vnd.docker.reference.digest"]);
      expect(attested.slice(2)).toEqual(images.map(({ digest }) => digest));
      expect(index.annotations).toMatchObject({ "org.opencontainers.image.title": "app" });
      expect(digestOf(`${product}:latest`)).toBe(done.changes.at(-1)?.to);
      expect(digestOf(`${product}:0`)).toBe(digestOf(`${product}:0.2.0`));
      docker(["pull", "--quiet", "--platform", "linux/amd64", `${product}:latest`]);
      expect(docker(["image", "inspect", "--format", "{{.Config.Env}}", `${product}:latest`])).toContain(
        "VERSION=2",
      );

      // The same index in the repository of the cells.
      const merged = await call(["merge", "both"]);
      expect(merged.changes.map(({ ref, to }) => [ref, to])).toEqual([
        [`${repository}/app:core-0.1.0`, digestOf(`${product}:0.1.0`)],
        [`${repository}/app:core-0.2.0`, digestOf(`${product}:0.2.0`)],
      ]);

      const promoted = await call(["promote", "--product", "app", "--to", "stable"]);
      expect(promoted.changes.map(({ ref }) => ref)).toEqual(
        ["0.1.0", "0.2.0", "0", "latest"].map((tag) => `${repository}/stable:${tag}`),
      );
      expect(digestOf(`${repository}/stable:latest`)).toBe(digestOf(`${product}:latest`));

      // A tag that names something else is no source of a promotion; publishing puts it right.
      docker(["buildx", "imagetools", "create", "--tag", `${product}:0`, `${product}:0.1.0`]);
      const refused = await call(["promote", "--product", "app", "--to", "stable"], 1);
      expect(refused.missing).toEqual([
        { what: `${repository}/stable:0`, why: expect.stringContaining("publish it first") as string },
      ]);
      const mended = await call(["publish", "--product", "app"]);
      expect(mended.changes.map(({ ref }) => ref)).toEqual([`${product}:0`]);

      // After a change of one version its image is no longer what is proven.
      appendFileSync(join(root, "fragments/core/0.2.0/hello"), "!");
      const changed = await call(["publish", "--product", "app"], 1);
      expect(changed.changes.map(({ ref }) => ref)).toEqual([`${product}:0`, `${product}:latest`]);
      expect(changed.missing.map(({ what }) => what)).toEqual([
        `${product}:0.2.0`,
        `${product}:0`,
        `${product}:latest`,
      ]);
    },
  );

  test("8 publishers at once: one moves the tags, each other one says so", { timeout: 300_000 }, async () => {
    const { root, product, run, env } = published();
    await run();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => factory(root, ["publish", "--product", "app", "--json"], { env })),
    );
    const codes = all.map(({ stdout, exitCode }) => {
      const said = JSON.parse(stdout) as Partial<Moved> & { error?: { code: string } };
      return said.error ? `${said.error.code} ${exitCode}` : `${said.changes?.length} moved ${exitCode}`;
    });
    expect(codes.filter((code) => code === "4 moved 0")).toHaveLength(1);
    for (const code of codes) expect(["4 moved 0", "0 moved 0", "PUBLISHER_BUSY 3"]).toContain(code);
    expect(digestOf(`${product}:latest`)).toBe(digestOf(`${product}:0.2.0`));
    // One that waits finds everything as it should be.
    const late = await factory(root, ["publish", "--product", "app", "--wait", "60", "--json"], { env });
    expect(JSON.parse(late.stdout)).toMatchObject({ changes: [], unchanged: 4 });
  });

  test("a job of an older commit moves no tag back, unless it is told to", { timeout: 300_000 }, async () => {
    const { root, product, call } = published();
    const git = (...argv: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example", ...argv], { cwd: root });
    writeFileSync(join(root, ".gitignore"), "records\n.factory\n");
    writeFileSync(
      join(root, "control_plane/plans/both.yaml"),
      "schema_version: 1\nplan_id: both\nmanifest_id: app\naxes: {core: [0.1.0], platform: [linux/amd64]}\n",
    );
    git("init", "-q");
    const state = async (name: string) => {
      writeFileSync(join(root, "fragments/core/0.1.0/hello"), uniqueName(name));
      git("add", "-A");
      git("commit", "-qm", name);
      await call(["run", "--plan", "both", "--push"]);
    };
    await state("one");
    await state("two");
    const later = await call(["publish", "--product", "app"]);
    expect(later.changes.map(({ ref }) => ref)).toContain(`${product}:latest`);
    const names = digestOf(`${product}:latest`);

    git("checkout", "-q", "HEAD~1");
    const late = await call(["publish", "--product", "app"], 1);
    const own = (list: { ref?: string; what?: string }[]) => list.map(({ ref, what }) => ref ?? what);
    expect(own(late.missing)).toEqual(["0.1.0", "0", "latest"].map((tag) => `${product}:${tag}`));
    expect(late.missing[0]?.why).toContain("later than what is checked out");
    expect(digestOf(`${product}:latest`)).toBe(names);
    const back = await call(["publish", "--product", "app", "--older"]);
    expect(own(back.changes)).toContain(`${product}:latest`);
    expect(digestOf(`${product}:latest`)).not.toBe(names);
    // The newer state moves them on again.
    git("checkout", "-q", "-");
    await call(["publish", "--product", "app"]);
    expect(digestOf(`${product}:latest`)).toBe(names);
  });
});
