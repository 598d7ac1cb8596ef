import { FactoryError } from "../errors.ts";
import type { EngineInfo } from "../tools/docker.ts";
import type { DoctorDeps, Workspace } from "./deps.ts";
import { broken, type Diagnosis, ok, warning } from "./diagnosis.ts";

/** The first version of the API whose questions about images name a platform. */
const PLATFORMS_API = 49;

const CONTAINERD = "io.containerd.snapshotter.v1";

/** What keeps an engine from being asked, with what mends it. */
export function unreachable(error: unknown): Diagnosis {
  const { message, fix } = error instanceof FactoryError ? error : { message: String(error), fix: undefined };
  const denied = /permission denied|EACCES/i.test(message);
  return broken("engine", {
    what: message,
    fix: denied ? "sudo usermod -aG docker $USER, and log in again" : (fix ?? "docker info"),
  });
}

/** The engine: that it answers, how it stores images, and what it warns of itself. */
export function engine({ isLocal }: DoctorDeps, info: EngineInfo): Diagnosis[] {
  const store = (info.DriverStatus ?? []).some(
    ([name, value]) => name === "driver-type" && value === CONTAINERD,
  );
  const where = isLocal() ? "on this machine" : "on another machine";
  const [major = 0, minor = 0] = info.ApiVersion.split(".").map(Number);
  return [
    ok("engine", `Docker ${info.ServerVersion}, API ${info.ApiVersion}, ${where}`),
    store
      ? ok("image store", "containerd's")
      : broken("image store", {
          what: `the old one (${info.Driver ?? "unknown"}): images there have no digest of their own`,
          fix: 'write {"features": {"containerd-snapshotter": true}} to /etc/docker/daemon.json, and restart docker',
        }),
    ...(major === 1 && minor < PLATFORMS_API
      ? [
          warning("engine", {
            what: "it cannot be asked for the image of one platform: one that it holds for several is taken as its own",
            fix: "install Docker 28.1 or newer",
          }),
        ]
      : []),
    ...(isLocal()
      ? []
      : [
          warning("engine", {
            what: "smoke tests of the kinds `http` and `script` need one on this machine",
            fix: "docker context use default",
          }),
        ]),
    ...(info.Warnings ?? [])
      .filter((text) => /limit|memory|swap|pids/i.test(text))
      .map((text) =>
        warning("engine", {
          what: text.trim(),
          fix: "start the machine with the cgroups that it lacks; tests have fewer limits until then",
        }),
      ),
  ];
}

/** The builder, and the platforms that the manifests want of it. */
export async function builder({ buildx, env }: DoctorDeps, workspace: Workspace): Promise<Diagnosis[]> {
  const { buildx: version, buildkit } = await buildx.version();
  const [driver, able] = await Promise.all([buildx.driver(), buildx.platforms()]);
  const wanted = "catalog" in workspace ? platformsOf(workspace) : [];
  const lacking = wanted.filter((platform) => !able.includes(platform));
  const name = env.BUILDX_BUILDER ? ` ${env.BUILDX_BUILDER}` : "";
  const found: Diagnosis[] = [
    ok(
      "builder",
      `buildx ${version}, BuildKit ${buildkit ?? "of an unknown version"}, driver ${driver}${name}`,
    ),
  ];
  if (lacking.length > 0) {
    const emulated = lacking.map((one) => one.split("/")[1] ?? one).join(",");
    found.push(
      warning("platforms", {
        what: `this builder cannot build ${lacking.join(", ")}, which manifests want: their cells are left out here`,
        fix: `docker run --privileged --rm tonistiigi/binfmt --install ${emulated}, or run these cells on such a machine`,
      }),
    );
  } else if (wanted.length > 0) found.push(ok("platforms", wanted.join(", ")));
  if (driver !== "docker")
    found.push(
      warning("builder", {
        what: `a builder with the driver ${driver} does not see images that only the engine has, such as a base that was built here`,
        fix: "docker buildx use default, or push such a base",
      }),
    );
  return found;
}

/** Every platform that an image of the workspace is for. Manifests that cannot be read are the workspace's own finding. */
function platformsOf({ catalog }: Extract<Workspace, { catalog: unknown }>): string[] {
  const platforms = new Set<string>();
  for (const id of catalog.imageIds()) {
    try {
      for (const platform of catalog.manifest(id).document.platforms ?? []) platforms.add(platform);
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
    }
  }
  return [...platforms].sort();
}
