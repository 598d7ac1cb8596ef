import { readFile } from "node:fs/promises";

/** What Factory reads of one target in BuildKit's metadata file. */
export interface TargetMetadata {
  /** `containerimage.digest`: of the index if there are attestations; null for a target that exports no image. */
  digest: string | null;
  /** The provenance as BuildKit wrote it (SLSA v0.2 or v1), or null. */
  provenance: unknown;
}

type Fields = Record<string, unknown>;

const DIGEST = /^sha256:[a-f0-9]{64}$/;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Targets by name; empty if there is no readable file: BuildKit only writes one after a success. */
export async function readMetadata(file: string): Promise<Map<string, TargetMetadata>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, "utf8"));
  } catch {
    return new Map();
  }
  const targets = Object.entries(fieldsOf(parsed)).map(([name, value]): [string, TargetMetadata] => {
    const fields = fieldsOf(value);
    const digest = fields["containerimage.digest"];
    return [
      name,
      {
        digest: typeof digest === "string" && DIGEST.test(digest) ? digest : null,
        provenance: fields["buildx.build.provenance"] ?? null,
      },
    ];
  });
  return new Map(targets);
}

/** The digests of the images that a build read, as its provenance (SLSA v0.2 or v1) names them, in its order. */
function materialDigests(provenance: unknown): string[] {
  const statement = fieldsOf(provenance);
  const materials = statement.materials ?? fieldsOf(statement.buildDefinition).resolvedDependencies;
  return (Array.isArray(materials) ? materials.map(fieldsOf) : []).flatMap(({ uri, digest }) => {
    if (typeof uri !== "string" || !uri.startsWith("pkg:docker/")) return [];
    const own = `sha256:${String(fieldsOf(digest).sha256)}`;
    return DIGEST.test(own) ? [own] : [];
  });
}

/** The digest of the image that a build started from, as its provenance names it; else null. */
export function baseDigest(provenance: unknown): string | null {
  return materialDigests(provenance)[0] ?? null;
}

/** Whether a build read an image, as its provenance says. */
export function hasMaterial(provenance: unknown, digest: string): boolean {
  return materialDigests(provenance).includes(digest);
}
