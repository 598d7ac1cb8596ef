import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, registry, uniqueName } from "./engine.ts";
import { cosign, makeKey } from "./proof-keys.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Attached {
  artifactType: string;
  digest: string;
  annotations?: Record<string, string>;
}

/** What is attached to an image, as oras finds it. */
function discover(ref: string): Attached[] {
  const argv = ["discover", "--plain-http", "--format", "json", ref];
  const said = JSON.parse(execFileSync("oras", argv, { encoding: "utf8" })) as {
    referrers?: Attached[];
    manifests?: Attached[];
  };
  return said.referrers ?? said.manifests ?? [];
}

/** A workspace with one image that holds a file. */
function workspace() {
  const repository = imagesOfTest(`${registry}/`);
  const root = makeWorkspace(
    {
      fragments: { core: { "0.1.0": { body: 'COPY {{file "hello"}} /hello' } } },
      base: "scratch",
      manifest: "smoke:\n  - {id: hello, file: {path: /hello, exists: true}}\n",
      plans: { all: "axes: {core: [0.1.0]}\n" },
    },
    repository,
  );
  writeFileSync(join(root, "fragments/core/0.1.0/hello"), uniqueName("hello"));
  const call = async <T>(argv: string[], env: Record<string, string> = {}, expected = 0): Promise<T> => {
    const { exitCode, stdout, stderr } = await factory(root, [...argv, "--json"], { env });
    expect(exitCode, stderr + stdout).toBe(expected);
    return JSON.parse(stdout) as T;
  };
  return { root, repository, call };
}

describeEngine("proof on an image", () => {
  test("is attached by a run that pushes, and signed as cosign reads it", { timeout: 300_000 }, async () => {
    const { root, repository, call } = workspace();
    const key = makeKey();
    const { results } = await call<{ results: { record_id: string; image: { digest: string } }[] }>(
      ["run", "--plan", "all", "--push"],
      key.env,
    );
    const [result] = results;
    const image = `${repository}/app@${result?.image.digest}`;
    const found = discover(image);
    expect(found.map(({ artifactType }) => artifactType).sort()).toEqual([
      "application/vnd.cyclonedx+json",
      ...Array.from({ length: 4 }, () => "application/vnd.dev.sigstore.bundle.v0.3+json"),
      "application/vnd.factory.record.v2",
      "application/vnd.in-toto+json",
    ]);

    cosign(["verify", "--key", key.publicKey, image]);
    for (const [type, what] of [
      ["urn:io.factory:record:2", `"record_id":"${result?.record_id}"`],
      ["cyclonedx", '"bomFormat":"CycloneDX"'],
      ["slsaprovenance1", '"buildType":"urn:io.factory:build:1"'],
    ] as const) {
      const said = cosign(["verify-attestation", "--key", key.publicKey, "--type", type, image]);
      const { payload } = JSON.parse(said) as { payload: string };
      expect(Buffer.from(payload, "base64").toString("utf8")).toContain(what);
    }
    const other = makeKey();
    expect(() => cosign(["verify", "--key", other.publicKey, image])).toThrow();

    // What is signed is not signed again; another key signs beside it.
    const remote = { FACTORY_RECORDS_REMOTE: `oci://${repository}/records` };
    const push = (more: Record<string, string>) =>
      call<{ attached: number }>(["records", "push"], { ...remote, ...more });
    expect(await push(key.env)).toMatchObject({ attached: 0 });
    expect(discover(image)).toHaveLength(found.length);
    expect(await push(other.env)).toMatchObject({ attached: 1 });
    expect(discover(image)).toHaveLength(found.length + 4);
    cosign(["verify", "--key", other.publicKey, image]);

    // A wrong password: it is said, nothing is lost, and the right one mends it.
    const third = makeKey();
    const wrong = { ...remote, ...third.env, COSIGN_PASSWORD: "not that one" };
    const { exitCode, stderr } = await factory(root, ["records", "push"], { env: wrong });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("fix: set COSIGN_PASSWORD")]);
    expect(stderr).not.toContain(wrong.COSIGN_PASSWORD);
    expect(await push(third.env)).toMatchObject({ attached: 1 });
  });
});
