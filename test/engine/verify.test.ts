import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, docker, registry, temporaryFolder, uniqueName } from "./engine.ts";
import { makeKey } from "./proof-keys.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Link {
  link: string;
  platform?: string;
  status: string;
  why: string;
}

/** Pushes an image that holds one file, as a base. @returns its name */
function pushBase(name: string, text: string): string {
  docker(
    ["buildx", "build", "--quiet", "--push", "--tag", name, "-"],
    `FROM scratch\nLABEL text=${text}\nADD --checksum= <<EOT /base\n${text}\nEOT\n`.replace(
      "ADD --checksum=",
      "COPY",
    ),
  );
  return name;
}

/** A workspace under git whose image is published and signed, on a base that is only this test's. */
async function signedImage() {
  const repository = imagesOfTest(`${registry}/`);
  const base = pushBase(`${repository}/base:1`, "one");
  const root = makeWorkspace(
    {
      fragments: {
        core: { "0.1.0": { body: 'COPY {{file "hello"}} /hello' }, "0.2.0": { body: "ENV X=1" } },
      },
      base,
      manifest: "smoke:\n  - {id: base, file: {path: /base, exists: true}}\n",
      plans: { all: "axes: {core: [0.1.0, 0.2.0]}\n" },
    },
    repository,
  );
  const key = makeKey();
  copyFileSync(key.publicKey, join(root, "cosign.pub"));
  writeFileSync(join(root, "fragments/core/0.1.0/hello"), uniqueName("hello"));
  writeFileSync(join(root, ".gitignore"), "records\n.factory\n");
  for (const folder of ["products", "policies"]) mkdirSync(join(root, `control_plane/${folder}`));
  writeFileSync(
    join(root, "control_plane/policies/release.yaml"),
    "schema_version: 1\npolicy_id: release\npromotion: {requires: [smoke, sbom, signature]}\nsignature: {keys: [cosign.pub]}\n",
  );
  writeFileSync(
    join(root, "control_plane/products/app.yaml"),
    `schema_version: 1
product_id: app
manifest_id: app
repository: ${repository}/public
tags: ["{{core.version}}", latest]
policy: release
channels: {stable: {repository: ${repository}/stable}}
`,
  );
  const git = (...argv: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example", ...argv], { cwd: root });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "one");
  const ok = async (argv: string[]) => {
    const { exitCode, stdout, stderr } = await factory(root, argv, { env: key.env });
    expect(exitCode, stderr + stdout).toBe(0);
  };
  await ok(["run", "--plan", "all", "--push"]);
  await ok(["publish", "--product", "app"]);
  /** What `verify` says: the links that do not hold, each with the reason, and how it ends. */
  const verify = async (image: string, argv: string[] = [], cwd = root) => {
    const { exitCode, stdout, stderr } = await factory(cwd, ["verify", image, ...argv, "--json"]);
    expect(stdout, stderr).toContain("links");
    const { links, image: named } = JSON.parse(stdout) as { links: Link[]; image: string };
    const notOk = links
      .filter(({ status }) => status !== "ok")
      .map(({ link, status }) => `${link} ${status}`);
    return { exitCode, links, notOk, image: named };
  };
  return { repository, root, base, key, git, verify, ok };
}

describeEngine("verify", () => {
  test("walks every link, and names the one that is broken", { timeout: 300_000 }, async () => {
    const { repository, root, base, key, git, verify, ok } = await signedImage();
    const image = `${repository}/public:0.1.0`;
    const good = await verify(image);
    expect(good.links.map(({ link }) => link)).toEqual([
      "image",
      "tag",
      "signature",
      "signature",
      "record",
      "evidence",
      "commit",
      "manifest",
      "base",
      "policy",
    ]);
    expect([good.exitCode, good.notOk]).toEqual([0, []]);

    // From a bare digest and a key, without a workspace.
    const digest = good.image.split("@")[1] ?? "";
    const away = await verify(`${repository}/public@${digest}`, ["--key", key.publicKey], temporaryFolder());
    expect([away.exitCode, away.notOk]).toEqual([0, ["commit unchecked"]]);

    // A signature by another key, and none.
    const other = await verify(
      `${repository}/public@${digest}`,
      ["--key", makeKey().publicKey],
      temporaryFolder(),
    );
    expect([other.exitCode, other.notOk]).toEqual([
      1,
      ["signature broken", "signature broken", "commit unchecked"],
    ]);

    // What is promoted keeps its signatures without a key.
    const { exitCode, stderr } = await factory(root, ["promote", "--product", "app", "--to", "stable"]);
    expect(exitCode, stderr).toBe(0);
    expect((await verify(`${repository}/stable:latest`)).notOk).toEqual([]);

    // The tag was moved to another proven image.
    docker(["buildx", "imagetools", "create", "--tag", image, `${repository}/public:latest`]);
    const moved = await verify(image);
    expect([moved.exitCode, moved.notOk]).toEqual([1, ["tag broken"]]);
    expect((await verify(`${image}@${digest}`)).notOk).toEqual(["tag broken"]);
    await ok(["publish", "--product", "app"]);
    expect((await verify(image)).exitCode).toBe(0);

    // The manifest has changed since: at its commit it is still what it was.
    appendFileSync(join(root, "fragments/core/0.1.0/hello"), "!");
    const changed = await verify(image);
    expect([changed.exitCode, changed.notOk]).toEqual([1, ["tag broken", "manifest broken"]]);
    expect(changed.links.find(({ link }) => link === "manifest")?.why).toContain("FILES core");
    expect(await verify(image, ["--past"])).toMatchObject({ exitCode: 0 });
    git("checkout", "-q", ".");

    // The base was replaced behind its tag.
    pushBase(base, "two");
    const replaced = await verify(image);
    expect(replaced.exitCode).toBe(1);
    expect(replaced.notOk).toContain("base broken");
    // Of the past it may be, but its policy asks for a fresh base.
    expect((await verify(image, ["--past"])).notOk).toEqual(["tag unchecked", "policy broken"]);

    // An image that nothing proves.
    docker(["buildx", "imagetools", "create", "--tag", `${repository}/public:other`, base]);
    const unproven = await verify(`${repository}/public:other`, ["--past"]);
    expect(unproven.exitCode).toBe(1);
    expect(unproven.notOk).toContain("record broken");
  });
});
