import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./planner.ts";

/** The registry that test/lab/up starts. */
const REGISTRY = "127.0.0.1:5000";
/** The reference images, in the order in which they are pulled: the second one has all fragments of the first. */
const PULLED = ["core_smoke", "llm_factory"] as const;

interface Manifest {
  layers?: { digest: string; size: number }[];
  manifests?: { digest: string; annotations?: Record<string, string> }[];
}

/** The layers of the one image under a digest, by digest, with their packed bytes. */
async function layersOf(repository: string, digest: string): Promise<Map<string, number>> {
  const accept = ["image.index", "image.manifest"].map((kind) => `application/vnd.oci.${kind}.v1+json`);
  const answer = await fetch(`http://${REGISTRY}/v2/${repository}/manifests/${digest}`, {
    headers: { accept: accept.join(", ") },
  });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} about ${digest}`);
  const { layers, manifests = [] } = (await answer.json()) as Manifest;
  if (layers) return new Map(layers.map((layer) => [layer.digest, layer.size]));
  const image = manifests.find(({ annotations }) => !annotations?.["vnd.docker.reference.type"]);
  if (!image) throw new Error(`${digest} has no image in it`);
  return layersOf(repository, image.digest);
}

interface Pulls {
  first: number;
  second: number;
  /** Layers of the second image that the first one brought. */
  shared: number;
  layers: number;
  seconds: number;
}

/** What pulling the two images one after the other costs. */
async function pulls(
  repository: string,
  digests: readonly string[],
  seconds: readonly number[],
): Promise<Pulls> {
  const [one, two] = await Promise.all(
    PULLED.map((id, at) => layersOf(`${repository}/${id}`, digests[at] ?? "")),
  );
  if (!one || !two) throw new Error("there are not two images");
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, size) => total + size, 0);
  const fresh = [...two].filter(([digest]) => !one.has(digest));
  return {
    first: sum(one.values()),
    second: sum(fresh.map(([, size]) => size)),
    shared: two.size - fresh.length,
    layers: two.size,
    seconds: sum(seconds),
  };
}

interface Repacked {
  original: { digest: string; pull_s: number };
  repacked: { digest: string; pull_s: number };
}

/**
 * What a machine pulls that gets both reference images, one after the other: as BuildKit makes them, in layers packed with zstd, and in
 * those of docker-repack where that is installed. Bytes do not depend on the machine; times are those that `repack` computes.
 * @param copy gives a copy of the reference workspace
 */
export async function pull({ factory, report, say }: Bench, copy: (folder: string) => string): Promise<void> {
  const folder = copy(mkdtempSync(join(tmpdir(), "factory-bench-")));
  const repository = `factory-bench-${randomBytes(4).toString("hex")}`;
  writeFileSync(join(folder, "factory.yaml"), `schema_version: 1\nrepository: ${REGISTRY}/${repository}\n`);
  const platform = process.arch === "arm64" ? "arm64" : "amd64";
  const hasRepack = spawnSync("docker-repack", ["--version"], { stdio: "ignore" }).status === 0;
  if (!hasRepack) say("docker-repack: left out, it is not installed");
  try {
    for (const id of PULLED)
      await factory(
        folder,
        "run",
        "--manifest-id",
        id,
        "--platform",
        `linux/${platform}`,
        "--push",
        "--quiet",
      );
    let plain: Pulls | undefined;
    for (const program of hasRepack ? ["zstd", "docker-repack"] : ["zstd"]) {
      const found: Repacked[] = [];
      for (const id of PULLED) {
        const cell = `${id}.linux-${platform}`;
        const made = await factory(folder, "repack", cell, "--with", program, "--push", "--json", "--quiet");
        found.push(JSON.parse(made.stdout) as Repacked);
      }
      plain ??= await pulls(
        repository,
        found.map(({ original }) => original.digest),
        found.map(({ original }) => original.pull_s),
      );
      const own = await pulls(
        repository,
        found.map(({ repacked }) => repacked.digest),
        found.map(({ repacked }) => repacked.pull_s),
      );
      for (const part of ["first", "second"] as const) {
        const ratio = own[part] / plain[part];
        report(`bytes of the ${part} pull, ${program}`, "plain layers", { ratio, least: ratio, most: ratio });
      }
      const ratio = own.seconds / plain.seconds;
      report(`computed time of both pulls, ${program}`, "plain layers", { ratio, least: ratio, most: ratio });
      say(
        `  layers of the second image that the first one brought: ${own.shared} of ${own.layers}, plain ${plain.shared} of ${plain.layers}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
