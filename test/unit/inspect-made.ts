import { gzipSync } from "node:zlib";
import { sha256 } from "../../src/model/digest.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { type Made, tarOf } from "./compare-made.ts";
import { MANIFEST, type Named, putDocument } from "./oci-made.ts";
import { type ServedRegistry, serveRegistry } from "./oci-server.ts";
import { writeProof } from "./proof-made.ts";
import { type Ended, factoryAtOnce, makeWorkspace } from "./workspace.ts";

/** A layer: what made it, and its files. */
export type LayerMade = readonly [instruction: string, files: readonly Made[]];

/** Stores an image with these layers in a registry. */
export async function putLayers(
  stored: ReturnType<ServedRegistry["of"]>,
  layers: readonly LayerMade[],
  config: object = {},
): Promise<Named> {
  const put = (bytes: Buffer, mediaType: string): Named => {
    stored.blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const tars = await Promise.all(layers.map(([, files]) => tarOf(files)));
  const about = {
    os: "linux",
    architecture: "amd64",
    config,
    history: layers.map(([created_by]) => ({ created_by })),
    rootfs: { type: "layers", diff_ids: tars.map((tar) => sha256(tar)) },
  };
  const named = tars.map((tar) => put(gzipSync(tar), "application/vnd.oci.image.layer.v1.tar+gzip"));
  const own = put(Buffer.from(JSON.stringify(about)), "application/vnd.oci.image.config.v1+json");
  return putDocument(stored, { config: own, layers: named }, MANIFEST);
}

/** What dpkg says of some packages, as `NAME@VERSION`. */
export function dpkgStatus(...packages: string[]): Made {
  const text = packages.map((one) => {
    const [name, version] = one.split("@");
    return `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`;
  });
  return { name: "var/lib/dpkg/status", text: text.join("\n") };
}

const FROM_CORE =
  "FROM debian:bookworm-slim AS base\n\nFROM base AS core\nRUN install\n\nFROM core AS image\nRUN true\n";

/** A workspace, a registry with images in it, and records of them. No engine answers there. */
export async function inspected() {
  const registry = await serveRegistry();
  const root = makeWorkspace();
  const stored = registry.of("team/app");
  const call = (...argv: string[]): Promise<Ended> =>
    factoryAtOnce(root, argv, { DOCKER_HOST: "unix:///nowhere/docker.sock" });
  return {
    root,
    registry,
    stored,
    host: registry.host,
    call,
    /** The document of a command that has to end well. */
    json: async (...argv: string[]): Promise<Record<string, unknown>> => {
      const { status, stdout, stderr } = await call(...argv, "--json");
      if (status !== 0) throw new Error(`exit ${status}: ${stdout}${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    /** An image of the base's layer, one of core@0.1.0 and one of the template, and its record. */
    put: async (
      layers: readonly LayerMade[],
      change: Parameters<typeof writeProof>[2] & { config?: object; tag?: string } = {},
    ): Promise<{ record: FactoryRecord; ref: string; digest: string }> => {
      const { config, tag = "1", inputs, ...rest } = change;
      const { digest } = await putLayers(stored, layers, config);
      const ref = `${registry.host}/team/app:${tag}`;
      const manifest = stored.manifests.get(digest);
      if (manifest) stored.manifests.set(tag, manifest);
      const record = await writeProof(
        root,
        { ref, digest },
        { ...rest, inputs: { dockerfile: FROM_CORE, ...inputs } },
      );
      return { record, ref, digest };
    },
  };
}
