import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RETRIES } from "../../src/model/retries.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import type { Context } from "../../src/commands/context.ts";
import { lock } from "../../src/commands/lock.ts";
import { FactoryError } from "../../src/errors.ts";
import { pinsOf } from "../../src/plan/lock/pins.ts";
import { createMask } from "../../src/model/mask.ts";
import { createWorld } from "../../src/world.ts";
import { makeWorkspace } from "../unit/workspace.ts";
import { describeEngine, docker, registry, removeImageAfterwards, uniqueName } from "./engine.ts";

const platform = `linux/${{ x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch}`;

function manifest(
  id: string,
  base: string,
  platforms: readonly string[] = [platform],
): Record<string, string> {
  return {
    [`manifests/${id}.yaml`]: `schema_version: 1
manifest_id: ${id}
template: plain@~0.1
base: ${base}
platforms: [${platforms.join(", ")}]
fragments: {core: ~0.1, app: 0.1.0}
`,
  };
}

/** A workspace without plans, of these manifests alone. Call it inside a test. */
function workspaceOf(...manifests: Record<string, string>[]): string {
  const none = { "manifests/demo.yaml": null, "control_plane/plans/grid.yaml": null };
  return makeWorkspace(Object.assign(none, ...manifests) as Record<string, string | null>);
}

/** `factory lock` with the real builder. */
async function run(root: string, options: { update?: boolean; check?: boolean } = {}, env = process.env) {
  const plain = (text: string) => text;
  const context = {
    cwd: root,
    color: { red: plain, green: plain, yellow: plain, cyan: plain, dim: plain, bold: plain },
    catalog: () => Promise.resolve(openCatalog(root)),
    world: () =>
      Promise.resolve(
        createWorld(env, {
          mask: createMask(),
          say: () => undefined,
          signal: () => new AbortController().signal,
          retries: () => RETRIES,
        }),
      ),
    say: () => undefined,
    signal: new AbortController().signal,
  } as unknown as Context;
  const { text, json, exitCode = 0 } = await lock(context, options);
  return { text, json: json as { changes: Record<string, unknown>[]; status: string }, exitCode };
}

/** Has a tag of the registry point to a new image; gives its digest. The engine itself does not come to hold the tag. */
function push(ref: string, label: string, flags: readonly string[] = []): string {
  const built = `${ref}-${label}`;
  removeImageAfterwards(built);
  const argv = ["buildx", "build", "--quiet", "--platform", platform, "--push", "-t", built, ...flags, "-"];
  docker(argv, `FROM debian:bookworm-slim\nLABEL what=${label}\n`);
  docker(["buildx", "imagetools", "create", "--tag", ref, built]);
  const words = docker(["buildx", "imagetools", "inspect", ref]);
  return /^Digest: +(sha256:[a-f0-9]{64})$/m.exec(words)?.[1] ?? expect.unreachable();
}

function nameInRegistry(): string {
  return `${registry}/${uniqueName("factory-lock")}:1`;
}

describeEngine("factory lock on the real engine", () => {
  it("writes the digest that the builder takes", async () => {
    const root = workspaceOf(manifest("one", "debian:bookworm-slim"));
    expect(await run(root)).toMatchObject({ exitCode: 0, json: { status: "written" } });
    const digest = pinsOf(openCatalog(root)).digestOf("debian:bookworm-slim", platform);
    expect(digest).toMatch(/^sha256:[a-f0-9]{64}$/);
    const pinned = `FROM debian:bookworm-slim@${digest}\n`;
    expect(() =>
      docker(["buildx", "build", "--quiet", "--output", "type=cacheonly", "-"], pinned),
    ).not.toThrow();
    expect(await run(root, { check: true })).toMatchObject({ exitCode: 0, json: { status: "current" } });
  });

  it("names a base that moved, with the manifests that it touches", async () => {
    const base = nameInRegistry();
    const before = push(base, "before");
    const root = workspaceOf(manifest("one", base), manifest("two", base), manifest("three", "scratch"));
    await run(root);
    expect(pinsOf(openCatalog(root)).digestOf(base, platform)).toBe(before);

    const after = push(base, "after");
    expect(after).not.toBe(before);
    const text = readFileSync(join(root, "factory.lock"), "utf8");
    expect(await run(root)).toMatchObject({ exitCode: 0, json: { status: "unchanged", changes: [] } });
    const check = await run(root, { check: true });
    expect(check).toMatchObject({
      exitCode: 1,
      json: {
        status: "outdated",
        changes: [{ kind: "base", name: base, platform, before, after, manifests: ["one", "two"] }],
      },
    });
    expect(readFileSync(join(root, "factory.lock"), "utf8")).toBe(text);

    const update = await run(root, { update: true });
    const short = (digest: string) => `${digest.slice(0, 19)}…`;
    expect(update.text).toContain(
      `${base} (${platform}): ${short(before)} → ${short(after)}, touches one, two\n`,
    );
    expect(pinsOf(openCatalog(root)).digestOf(base, platform)).toBe(after);
  });

  it("tells a base that lacks a platform from one that is away, and writes nothing", async () => {
    const base = nameInRegistry();
    // With its provenance the image is an index, which says what platforms there are.
    push(base, "one-platform", ["--provenance=mode=max"]);
    const lacking = workspaceOf(manifest("one", base, [platform, "linux/s390x"]));
    const gone = `${registry}/${uniqueName("factory-lock-none")}:1`;
    const both = workspaceOf(manifest("one", base, ["linux/s390x"]), manifest("two", gone), {
      ...manifest("three", "127.0.0.1:9/none:1"),
    });

    const refusal = async (root: string) => {
      const error = await run(root).then(
        () => expect.unreachable(),
        (thrown: unknown) => thrown,
      );
      expect(() => readFileSync(join(root, "factory.lock"))).toThrow("ENOENT");
      return error instanceof FactoryError ? error : expect.unreachable();
    };
    expect(await refusal(lacking)).toMatchObject({
      code: "BASE_PLATFORM",
      exitCode: 2,
      message: `the image ${base} does not exist for linux/s390x`,
    });
    const error = await refusal(both);
    expect(error).toMatchObject({ code: "BASE_UNRESOLVED", exitCode: 3 });
    expect(error.findings?.map(({ code, where }) => `${code} ${where?.file}`).sort()).toEqual([
      "BASE_PLATFORM manifests/one.yaml",
      "BASE_UNRESOLVED manifests/three.yaml",
      "BASE_UNRESOLVED manifests/two.yaml",
    ]);
  });
});
