import { FactoryError } from "../errors.ts";
import type { Exec } from "../tools/exec.ts";
import { ECOSYSTEMS, type Ecosystem } from "./catalogers/catalogers.ts";
import { createPace } from "./pace.ts";
import type { Sbom, SbomImage } from "./sbom.ts";
import { validateSbom } from "./validate.ts";

const MOST_BYTES = 256 << 20;
const MOST_PROBLEMS = 5;

interface Document {
  bomFormat?: unknown;
  components?: unknown;
}

function countsOf(purls: readonly string[]): Record<Ecosystem, number> {
  const count = (name: Ecosystem) => purls.filter((purl) => purl.startsWith(`pkg:${name}/`)).length;
  return Object.fromEntries(ECOSYSTEMS.map((name) => [name, count(name)])) as Record<Ecosystem, number>;
}

/**
 * Lets syft write the SBOM of an image in the engine. Its document is kept as it is; if that fails strict validation, the
 * warnings say so.
 * @throws FactoryError TOOL_MISSING without syft on the PATH, TOOL_FAILED if it fails, INTERRUPTED
 */
export async function makeSbomWithSyft(
  image: Pick<SbomImage, "ref" | "platform">,
  deps: {
    exec: Exec;
    clock: () => number;
    signal?: AbortSignal;
    onProgress?: (text: string) => void;
  },
): Promise<Sbom> {
  const platform = image.platform ? ["--platform", image.platform] : [];
  const argv = ["scan", `docker:${image.ref}`, "-o", "cyclonedx-json@1.6", "--quiet", ...platform];
  const env = { SYFT_CHECK_FOR_APP_UPDATE: "false" };
  const result = await deps.exec("syft", argv, { env, signal: deps.signal, maxBytes: MOST_BYTES });
  if (deps.signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while syft read the image");
  if (result.exitCode !== 0) {
    const last = result.stderr.trim().split("\n").at(-1) ?? "";
    throw new FactoryError(
      "TOOL_FAILED",
      `syft scan docker:${image.ref}: ${last || `exit ${result.exitCode}`}`,
    );
  }
  let document: Document;
  try {
    document = JSON.parse(result.stdout) as Document;
  } catch (cause) {
    throw new FactoryError("TOOL_FAILED", "syft wrote something that is not JSON", { cause });
  }
  if (document?.bomFormat !== "CycloneDX") {
    throw new FactoryError("TOOL_FAILED", "syft wrote something that is not a CycloneDX document", {
      fix: "use a syft that knows cyclonedx-json@1.6",
    });
  }
  const components = Array.isArray(document.components) ? (document.components as { purl?: unknown }[]) : [];
  const purls = components.flatMap((one) => (typeof one?.purl === "string" ? [one.purl] : []));
  const pace = createPace({ ...deps, now: deps.clock });
  const problems = await validateSbom(result.stdout, pace);
  const rest = problems.length > MOST_PROBLEMS ? [`… and ${problems.length - MOST_PROBLEMS} more`] : [];
  const warnings = [...problems.slice(0, MOST_PROBLEMS), ...rest].map(
    (text) => `syft's SBOM fails strict validation: ${text}`,
  );
  return { json: result.stdout, components: components.length, counts: countsOf(purls), warnings };
}
