import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLayerCache } from "../../src/sbom/layer-cache.ts";
import { openLayerStore } from "../../src/sbom/layer-store.ts";
import { makeSbom } from "../../src/sbom/sbom.ts";
import {
  describeEngine,
  docker,
  engineOf,
  removeImageAfterwards,
  temporaryFolder,
  uniqueName,
} from "./engine.ts";

interface Document {
  components: {
    name: string;
    version: string;
    purl?: string;
    licenses?: unknown[];
    properties: { name: string; value: string }[];
  }[];
}

const DOCKERFILE = `FROM debian:bookworm-slim
RUN dpkg --purge --force-all tzdata mawk
RUN mkdir -p /app/node_modules/kept /app/node_modules/removed /usr/lib/python3/dist-packages/Shown-1.0.dist-info \\
 && echo '{"name":"kept","version":"1.2.3"}' > /app/node_modules/kept/package.json \\
 && echo '{"name":"removed","version":"1.0.0"}' > /app/node_modules/removed/package.json \\
 && ln /app/node_modules/kept/package.json /app/store \\
 && printf 'Name: Shown\\nVersion: 1.0\\n' > /usr/lib/python3/dist-packages/Shown-1.0.dist-info/METADATA
RUN rm -r /app/node_modules/removed && mkdir /app/node_modules/linked && ln /app/store /app/node_modules/linked/package.json
`;

function build(dockerfile: string, args: string[] = []): string {
  const folder = temporaryFolder();
  const ref = `${uniqueName("factory-sbom")}:1`;
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  removeImageAfterwards(ref);
  docker(["buildx", "build", "--quiet", "--load", "-t", ref, ...args, folder]);
  return ref;
}

const engine = { docker: engineOf(), now: () => null, clock: () => 0, toolVersion: "0.0.0" };

const listOf = (json: string, type: string) =>
  (JSON.parse(json) as Document).components.filter((one) => one.purl?.startsWith(`pkg:${type}/`));

describeEngine("makeSbom on a real image", () => {
  test("lists the Debian packages that dpkg-query lists in a container, and what each layer left of the rest", async () => {
    const ref = build(DOCKERFILE, ["--provenance=mode=max"]);
    const sbom = await makeSbom({ ref, digest: null, name: "demo" }, engine);

    const format = "${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
    const listed = docker(["run", "--rm", "--network", "none", ref, "dpkg-query", "-W", "-f", format])
      .split("\n")
      .flatMap((line) => (line.startsWith("installed ") ? [line.slice("installed ".length)] : []));
    const found = listOf(sbom.json, "deb").map((one) => {
      const arch = /[?&]arch=([a-z0-9]+)/.exec(one.purl ?? "")?.[1];
      return `${one.name} ${one.version} ${arch}`;
    });
    expect(listed.length).toBeGreaterThan(50);
    expect(found.sort()).toEqual(listed.sort());
    expect(found.join("\n")).not.toMatch(/^(?:tzdata|mawk) /m);

    expect(listOf(sbom.json, "npm").map((one) => one.purl)).toEqual(["pkg:npm/kept@1.2.3"]);
    expect(listOf(sbom.json, "pypi").map((one) => one.purl)).toEqual(["pkg:pypi/shown@1.0"]);
    // Most copyright files are machine-readable; each of them is named with its hash.
    const debs = listOf(sbom.json, "deb");
    expect(debs.filter((one) => one.licenses).length).toBeGreaterThan(debs.length / 2);
    const withFile = debs.filter((one) =>
      one.properties.some(({ name }) => name === "factory:deb:copyright_sha256"),
    );
    expect(debs.length - withFile.length).toBeLessThan(5);
    expect(sbom.warnings).toEqual([]);

    const again = await makeSbom({ ref, digest: null, name: "demo" }, engine);
    expect(again.json).toBe(sbom.json);
  });

  test("reads zstd layers", async () => {
    const folder = temporaryFolder();
    const ref = `${uniqueName("factory-sbom")}:1`;
    writeFileSync(join(folder, "Dockerfile"), "FROM debian:bookworm-slim\nRUN echo x > /x\n");
    const sbomOf = async (compression: string) => {
      const image = `${ref}-${compression}`;
      removeImageAfterwards(image);
      const output = `type=image,name=${image},compression=${compression},force-compression=true,oci-mediatypes=true`;
      docker(["buildx", "build", "--quiet", "--provenance=false", "--output", output, folder]);
      return makeSbom({ ref: image, digest: null, name: "demo" }, engine);
    };
    const zstd = await sbomOf("zstd");
    const plain = await sbomOf("gzip");
    expect(plain.counts.deb).toBeGreaterThan(50);
    expect(zstd.counts).toEqual(plain.counts);
  });

  test("reads the layout that the same build wrote, into which the layers of an earlier build were lent", async () => {
    const store = openLayerStore(temporaryFolder());
    const cache = openLayerCache(temporaryFolder(), "0.0.0");
    const platform = docker(["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]).trim();
    const bake = (last: string) => {
      const folder = temporaryFolder();
      const layout = join(folder, "layout");
      const lent = store.lend(layout);
      const blob = join(layout, "blobs", "sha256");
      const before = readdirSync(blob).map((name) => [name, statSync(join(blob, name)).ino]);
      const ref = `${uniqueName("factory-sbom")}:1`;
      removeImageAfterwards(ref);
      writeFileSync(join(folder, "Dockerfile"), `${DOCKERFILE}RUN echo ${last} > /last\n`);
      const metadata = join(folder, "metadata.json");
      const outputs = ["--output", "type=docker", "--output", `type=oci,dest=${layout},tar=false`];
      const options = ["--quiet", "--provenance=mode=max", "--metadata-file", metadata, "-t", ref];
      docker(["buildx", "build", ...options, ...outputs, folder]);
      const found = JSON.parse(readFileSync(metadata, "utf8")) as { "containerimage.digest": string };
      // What was lent is still the same file: nothing was copied over it.
      expect(readdirSync(blob)).toEqual(expect.arrayContaining(before.map(([name]) => name)));
      expect(before.map(([name]) => [name, statSync(join(blob, String(name))).ino])).toEqual(before);
      return { ref, layout, lent, digest: found["containerimage.digest"] };
    };
    const unasked = () => Promise.reject(new Error("the engine was asked"));
    const noEngine = { ...engine, cache, docker: { inspectImage: unasked, saveImage: unasked } };

    const first = bake("one");
    expect(first.lent).toBe(0);
    const image = { ref: first.ref, digest: first.digest, platform, name: "demo" };
    const sbom = await makeSbom({ ...image, layout: first.layout }, noEngine);
    expect(sbom).toEqual(await makeSbom(image, engine));
    const kept = store.keep(first.layout, first.digest);
    expect(kept).toBeGreaterThan(3);

    const second = bake("two");
    expect(second.lent).toBe(kept);
    const other = { ref: second.ref, digest: second.digest, platform, name: "demo" };
    const again = await makeSbom({ ...other, layout: second.layout }, noEngine);
    expect(again).toEqual(await makeSbom(other, engine));
    expect(again.counts).toEqual(sbom.counts);
    // All but the last layer were the first build's.
    expect(store.keep(second.layout, second.digest)).toBe(kept);
    expect(store.lend(join(temporaryFolder(), "third"))).toBe(kept + 1);
  });

  test("an image that is not there is IMAGE_NOT_FOUND", async () => {
    const ref = `${uniqueName("factory-none")}:1`;
    await expect(makeSbom({ ref, digest: null, name: "x" }, engine)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });
});
