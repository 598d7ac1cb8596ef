import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FactoryRecord } from "../../../src/schemas/types.ts";
import {
  describeEngine,
  docker,
  registry,
  removeImageAfterwards,
  temporaryFolder,
  uniqueName,
} from "../../engine/engine.ts";
import { factory, makeWorkspace } from "../../engine/run-workspace.ts";

/** Pushes an image that holds one file, and leaves none of it in the engine. */
function pushImage(ref: string, text: string): void {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "f"), text);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY f /f\n");
  docker(["buildx", "build", "--provenance=false", "-t", ref, "--push", folder]);
}

/** A workspace whose image reads a second one in three ways: as a stage, by COPY and by a mount. */
function workspace(other: string): string {
  const root = makeWorkspace({
    fragments: {
      a: {
        "0.1.0": {
          body: `COPY --from=${other} /f /copied\nRUN --mount=type=bind,from=${other},target=/m cp /m/f /mounted\nCOPY --from=tools /f /staged`,
        },
      },
    },
    manifest: "smoke: [{id: there, command: {argv: [cat, /copied, /mounted, /staged]}}]\n",
  });
  const { template } = JSON.parse(
    JSON.stringify({
      template: /template: (\S+)@(\S+)/.exec(readFileSync(join(root, "manifests/app.yaml"), "utf8")),
    }),
  ) as { template: string[] };
  const file = join(root, "templates", template[1] ?? "", template[2] ?? "", "Dockerfile.hbs");
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(/^(FROM \{\{base\}\} AS base\n)/, `$1\nFROM ${other} AS tools\n\nFROM base AS again\n`),
  );
  return root;
}

interface PlanDocument {
  cells: {
    action: string;
    reason: string | null;
    changes: { input: string }[];
    images: { role: string; ref: string; digest: string | null }[];
  }[];
}

describeEngine("a second image that a build reads", () => {
  test(
    "A1 is pinned, recorded with the run, and not reused when its tag moved",
    { timeout: 300_000 },
    async () => {
      const other = `${registry}/${uniqueName("factory-attack")}:1`;
      removeImageAfterwards(other);
      pushImage(other, "one\n");
      const root = workspace(other);
      const plan = async () => {
        const ended = await factory(root, ["plan", "--manifest-id", "app", "--reuse", "--json"]);
        expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
        return (JSON.parse(ended.stdout) as PlanDocument).cells[0];
      };
      const ran = await factory(root, ["run", "--manifest-id", "app", "--json", "--quiet"]);
      expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
      const { results } = JSON.parse(ran.stdout) as { results: { record: string }[] };
      const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
      const path = record.evidence.dockerfile?.path ?? "";
      const dockerfile = readFileSync(join(root, "records/app", path), "utf8");
      const pinned = [...dockerfile.matchAll(new RegExp(`${other}@(sha256:[a-f0-9]{64})`, "g"))];
      expect(pinned).toHaveLength(3);
      expect(dockerfile.replace(/@sha256:[a-f0-9]{64}/g, "").split(other)).toHaveLength(4);

      // The text is one that plain docker build takes, and its linter has nothing to say about.
      const copy = join(root, "Dockerfile.copy");
      writeFileSync(copy, dockerfile);
      const tag = uniqueName("factory-attack-plain");
      removeImageAfterwards(tag);
      docker(["buildx", "build", "--check", "-f", copy, root]);
      docker(["build", "-q", "-f", copy, "-t", tag, root]);
      expect(docker(["run", "--rm", tag, "cat", "/copied", "/mounted", "/staged"])).toBe("one\none\none\n");

      const same = await plan();
      expect(same).toMatchObject({ action: "reuse" });
      expect(same?.images.map(({ role }) => role)).toEqual(["base", "copy", "mount", "stage"]);
      expect(new Set(same?.images.slice(1).map(({ digest }) => digest))).toEqual(new Set([pinned[0]?.[1]]));

      pushImage(other, "two\n");
      const moved = await plan();
      expect(moved).toMatchObject({ action: "build" });
      expect(["BASE", "NEW"]).toContain(moved?.reason);
      const again = await factory(root, ["run", "--manifest-id", "app", "--reuse", "--json", "--quiet"]);
      expect(JSON.parse(again.stdout)).toMatchObject({ summary: { pass: 1, reused: 0 } });
    },
  );

  test("A1 is what factory.lock says, on each platform", { timeout: 120_000 }, async () => {
    const other = `${registry}/${uniqueName("factory-attack")}:1`;
    removeImageAfterwards(other);
    pushImage(other, "one\n");
    const root = workspace(other);
    const locked = await factory(root, ["lock"]);
    expect(locked.exitCode, locked.stdout + locked.stderr).toBe(0);
    const digest = new RegExp(`${other}: *\\n *linux/amd64: (sha256:[a-f0-9]{64})`).exec(
      readFileSync(join(root, "factory.lock"), "utf8"),
    )?.[1];
    expect(digest).toBeDefined();
    const plan = async () => {
      const ended = await factory(root, ["plan", "--manifest-id", "app", "--locked", "--json"]);
      return (JSON.parse(ended.stdout) as PlanDocument).cells[0]?.images;
    };
    const before = await plan();
    expect(before?.filter(({ ref }) => ref === other).map((one) => one.digest)).toEqual([
      digest,
      digest,
      digest,
    ]);
    pushImage(other, "two\n");
    expect(await plan()).toEqual(before);
    const check = await factory(root, ["lock", "--check"]);
    expect([check.exitCode, check.stdout.includes(other)]).toEqual([1, true]);
  });
});

describeEngine("an image that plain docker build makes", () => {
  test("B2.5 has the recipe key of the record of its cell as a label", { timeout: 120_000 }, async () => {
    const root = makeWorkspace({
      fragments: { a: { "0.1.0": { body: "RUN echo a > /a" } } },
      manifest: "smoke: [{id: there, command: {argv: [cat, /a]}}]\n",
    });
    const stitched = await factory(root, ["stitch", "--manifest-id", "app", "-o", "Dockerfile"]);
    expect(stitched.exitCode, stitched.stderr).toBe(0);
    const tag = uniqueName("factory-attack-plain");
    removeImageAfterwards(tag);
    docker(["buildx", "build", "--check", "-f", join(root, "Dockerfile"), root]);
    docker(["build", "-q", "-f", join(root, "Dockerfile"), "-t", tag, root]);
    const labelsOf = (ref: string) =>
      JSON.parse(docker(["image", "inspect", "--format", "{{json .Config.Labels}}", ref])) as Record<
        string,
        string
      >;
    const ran = await factory(root, ["run", "--manifest-id", "app", "--json", "--quiet"]);
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as { results: { record: string; image: { ref: string } }[] };
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
    const plain = labelsOf(tag);
    const own = labelsOf(results[0]?.image.ref ?? "");
    expect(record.recipe_key).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(plain["io.factory.recipe-key"]).toBe(record.recipe_key);
    expect(own["io.factory.recipe-key"]).toBe(record.recipe_key);
    expect(own["io.factory.build-key"]).toBe(record.build_key);
    // Nobody told docker which bits its base has.
    expect(plain).not.toHaveProperty("io.factory.build-key");
  });
});

describeEngine("an image whose last stage starts anew", () => {
  test.each([
    ["scratch", "scratch", "COPY --from=a /a /a\n"],
    ["another image", "OTHER", "COPY --from=a /a /a\n"],
  ])("A9 names the base of that stage: %s", { timeout: 200_000 }, async (_, last, body) => {
    const other = `${registry}/${uniqueName("factory-attack")}:1`;
    removeImageAfterwards(other);
    pushImage(other, "one\n");
    const base = last === "OTHER" ? other : last;
    const root = makeWorkspace({
      fragments: { a: { "0.1.0": { body: `RUN echo ${uniqueName("n")} > /a` } } },
      manifest: "smoke: [{id: there, file: {path: /a}}]\n",
    });
    const file = join(root, "templates/app/0.1.0/Dockerfile.hbs");
    const text = readFileSync(file, "utf8");
    const changed = text.replace("FROM {{last}} AS image\n", `FROM ${base} AS image\n${body}`);
    expect(changed).not.toBe(text);
    writeFileSync(file, changed);
    const ran = await factory(root, ["run", "--manifest-id", "app", "--json", "--quiet"]);
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as {
      results: { record: string; image: { digest: string } }[];
    };
    const record = JSON.parse(readFileSync(join(root, results[0]?.record ?? ""), "utf8")) as FactoryRecord;
    const argv = ["image", "inspect", "--format", "{{json .Config.Labels}}", results[0]?.image.digest ?? ""];
    const labels = JSON.parse(docker(argv)) as Record<string, string>;
    const digest = labels["org.opencontainers.image.base.digest"];
    expect(labels["org.opencontainers.image.base.name"]).toBe(base);
    if (base === "scratch") expect(digest).toBeUndefined();
    else expect(digest).toMatch(/^sha256:[a-f0-9]{64}$/);
    expect(record.base).toEqual({ ref: base, digest: digest ?? null });
    // What the stages before are made of is an input all the same.
    expect(record).toMatchObject({
      images: expect.arrayContaining([expect.objectContaining({ ref: "debian:bookworm-slim" })]) as unknown,
    });
    const verified = await factory(root, ["records", "verify"]);
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
  });
});
