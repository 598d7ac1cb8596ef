import { FactoryError } from "../errors.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, ok, warning } from "./diagnosis.ts";

/** The build cache: whether it can be used from here. */
export async function cache({ cacheTrouble }: DoctorDeps, workspace: Workspace): Promise<Diagnosis[]> {
  if ("error" in workspace) return [];
  const { root, settings } = workspace.catalog;
  const place = settings().cache?.place;
  if (!place) return [ok("cache", "none but the builder's own")];
  const trouble = await cacheTrouble(root, place);
  const fix =
    place.type === "gha"
      ? "pass them on with actions/github-script or a like action"
      : "start it, or change `cache:` in factory.yaml";
  return [
    trouble === null
      ? ok("cache", place.type)
      : warning("cache", { what: `${trouble}: builds go without it`, fix }),
  ];
}

/** Programs that what the workspace asks for needs, and what each is for. */
function wanted({
  catalog,
}: Extract<Workspace, { catalog: unknown }>): Map<string, { why: string; fix: string }> {
  const programs = new Map<string, { why: string; fix: string }>();
  const policies = catalog.policyIds().map((id) => catalog.policy(id).document);
  const products = catalog.productIds().map((id) => catalog.product(id).document);
  if (catalog.settings().signing !== null || policies.some(({ signature }) => signature))
    programs.set("cosign", {
      why: "signs and verifies",
      fix: "install cosign (Debian and Ubuntu: apt-get install cosign)",
    });
  if (products.some(({ repack }) => repack?.with === "docker-repack"))
    programs.set("docker-repack", { why: "repacks", fix: "cargo install docker-repack" });
  return programs;
}

/** Whether the programs are there that products and policies ask for. */
export async function programs({ exec }: DoctorDeps, workspace: Workspace): Promise<Diagnosis[]> {
  if ("error" in workspace) return [];
  let all: ReturnType<typeof wanted>;
  try {
    all = wanted(workspace);
  } catch (error) {
    // The workspace's own finding.
    if (error instanceof FactoryError) return [];
    throw error;
  }
  return Promise.all(
    [...all].map(async ([program, { why, fix }]) => {
      try {
        await exec(program, ["version"], { timeoutMs: 3000 });
        return ok("programs", `${program} is there, which ${why}`);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        return broken("programs", {
          what: `${program} is not installed, which ${why} what this workspace asks for`,
          fix,
        });
      }
    }),
  );
}

/** What of the CI system reaches this process. */
export function ci({ ci: system, env }: DoctorDeps): Diagnosis[] {
  if (system === null) return [ok("ci", "none: this is somebody's own machine")];
  const odd = Object.keys(env).filter(
    (name) => /^(DOCKER_HOST|BUILDX_BUILDER)$/.test(name) && env[name] === "",
  );
  return [
    ok("ci", system),
    ...odd.map((name) => warning("ci", { what: `${name} is set, and empty`, fix: `leave ${name} out` })),
  ];
}
