import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { sha256 } from "../../src/model/digest.ts";
import { createMask } from "../../src/model/mask.ts";
import { exec } from "../../src/tools/exec.ts";
import { dockerRegistries } from "../../src/tools/oci/registries.ts";
import type { RepositoryClient } from "../../src/tools/oci/repository-client.ts";
import { describeEngine, registry, temporaryFolder, uniqueName } from "./engine.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.example.config.v1+json";
const LAYER = "application/vnd.example.layer.v1.tar";

/** A repository of its own in the real registry. */
function ownRepository(): { client: RepositoryClient; name: string } {
  const repository = `factory-test/${uniqueName("artifact")}`;
  const { open } = dockerRegistries({ env: process.env, exec, mask: createMask() });
  return { client: open({ host: registry, repository }), name: `${registry}/${repository}` };
}

const described = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.length,
});

/** An artifact of one configuration and one layer, pushed under a tag; its manifest is deleted when the test is over. */
async function pushArtifact(client: RepositoryClient, layer: Buffer) {
  const config = Buffer.from('{"library":"test"}');
  const document = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType: CONFIG,
    config: described(CONFIG, config),
    layers: [
      { ...described(LAYER, layer), annotations: { "org.opencontainers.image.title": "library.tar" } },
    ],
  };
  for (const bytes of [config, layer]) await client.putBlob(described("", bytes), bytes);
  const manifest = Buffer.from(JSON.stringify(document));
  const digest = await client.putManifest("1.0.0", manifest, MANIFEST);
  onTestFinished(async () => void (await client.deleteManifest(digest)));
  return { document, digest, manifest };
}

describeEngine("an artifact in a real registry", () => {
  it("comes back as it was pushed; only what is not there is sent, and only 404 is absent", async () => {
    const { client } = ownRepository();
    await expect(client.tags()).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    expect(await client.headManifest("1.0.0")).toBe(null);
    const layer = randomBytes(3 << 20);
    const { document, digest, manifest } = await pushArtifact(client, layer);
    expect(await client.headManifest("1.0.0")).toBe(digest);
    const served = await client.manifest("1.0.0");
    expect([served.digest, served.mediaType, manifest.equals(served.bytes)]).toEqual([
      digest,
      MANIFEST,
      true,
    ]);
    const [only] = document.layers;
    expect(only && (await buffer(client.blob(only, { most: 4 << 20 }))).equals(layer)).toBe(true);
    expect(await client.putBlob(described(LAYER, layer), layer)).toBe(false);
    expect(await client.tags()).toEqual(["1.0.0"]);
    expect(await client.headManifest(sha256("nothing"))).toBe(null);
    expect(await client.hasBlob(sha256("nothing"))).toBe(false);
  });

  it("is refused in the registry's own words if its blobs are not there", async () => {
    const { client } = ownRepository();
    const config = described(CONFIG, Buffer.from("not pushed"));
    const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
    await expect(client.putManifest("1", Buffer.from(text), MANIFEST)).rejects.toMatchObject({
      code: expect.stringMatching(/^REGISTRY_(REFUSED|NOT_FOUND)$/) as string,
      message: expect.stringContaining("BLOB_UNKNOWN") as string,
    });
  });

  it("is what oras pulls, and what oras pushes is what is read", async (context) => {
    context.skip(spawnSync("oras", ["version"]).status !== 0, "oras is not installed");
    const { client, name } = ownRepository();
    const layer = randomBytes(1 << 20);
    await pushArtifact(client, layer);
    const folder = temporaryFolder();
    execFileSync("oras", ["pull", "--plain-http", `${name}:1.0.0`, "-o", folder], { stdio: "pipe" });
    expect(readFileSync(join(folder, "library.tar")).equals(layer)).toBe(true);
    writeFileSync(join(folder, "note.txt"), "from a neighbour");
    execFileSync("oras", ["push", "--plain-http", `${name}:theirs`, "note.txt:text/plain"], {
      cwd: folder,
      stdio: "pipe",
    });
    const theirs = await client.manifest("theirs");
    onTestFinished(async () => void (await client.deleteManifest(theirs.digest)));
    const { layers } = JSON.parse(Buffer.from(theirs.bytes).toString()) as {
      layers: { digest: string; size: number }[];
    };
    const [only] = layers;
    expect(only && (await buffer(client.blob(only, { most: 1000 }))).toString()).toBe("from a neighbour");
  });

  it("has the digest that crane says", async (context) => {
    context.skip(spawnSync("crane", ["version"]).status !== 0, "crane is not installed");
    const { client, name } = ownRepository();
    const { digest } = await pushArtifact(client, Buffer.from("layer"));
    const said = execFileSync("crane", ["digest", "--insecure", `${name}:1.0.0`], { encoding: "utf8" });
    expect(said.trim()).toBe(digest);
  });
});
