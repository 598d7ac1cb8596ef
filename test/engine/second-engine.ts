import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { registry } from "./engine.ts";

/** Whether this process may start an engine of its own. */
export const canStartEngine =
  process.getuid?.() === 0 &&
  ["dockerd", "ip"].every(
    (file) => spawnSync(file, [file === "ip" ? "-V" : "--version"], { stdio: "ignore" }).status === 0,
  );

/**
 * Starts another engine with an empty store, without a network for containers (`RUN --network=none` works). It is stopped
 * and its files are removed when the test is over. Gives the value for DOCKER_HOST.
 * @param options.offline whether it has no network at all: it reaches no registry
 */
export async function startEmptyEngine({ offline = false } = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "factory-engine-"));
  const host = `unix://${folder}/docker.sock`;
  // A bridge of its own: an engine that is told to use none removes the one of the other engine.
  const bridge = `fty${randomBytes(4).toString("hex")}`;
  execFileSync("ip", ["link", "add", "name", bridge, "type", "bridge"]);
  execFileSync("ip", ["addr", "add", `10.213.${randomBytes(1)[0]}.1/24`, "dev", bridge]);
  mkdirSync(join(folder, "data"));
  writeFileSync(
    join(folder, "daemon.json"),
    JSON.stringify({
      features: { "containerd-snapshotter": true },
      "insecure-registries": [registry],
      "registry-mirrors": [`http://${registry}`],
    }),
  );
  const flags = [
    "--config-file=daemon.json",
    "--data-root=data",
    "--exec-root=exec",
    "--pidfile=pid",
    `--bridge=${bridge}`,
    "--iptables=false",
    "--ip6tables=false",
  ];
  const paths = flags.map((flag) => flag.replace(/=(daemon\.json|data|exec|pid)$/, `=${folder}/$1`));
  const argv = ["dockerd", ...paths, "-H", host];
  const daemon = offline
    ? spawn(
        "unshare",
        ["--net", ...argv.map((one) => (one.startsWith("--bridge=") ? "--bridge=none" : one))],
        {
          stdio: "ignore",
        },
      )
    : spawn("dockerd", argv.slice(1), { stdio: "ignore" });
  const ended = new Promise<void>((done) => daemon.on("close", () => done()));
  onTestFinished(async () => {
    daemon.kill("SIGTERM");
    await ended;
    // What the engine mounted for its images may outlive it.
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "");
    for (const mount of mounts.filter((path) => path.startsWith(`${folder}/`)).reverse())
      spawnSync("umount", ["-l", mount]);
    rmSync(folder, { recursive: true, force: true });
    spawnSync("ip", ["link", "delete", bridge]);
  });
  await vi.waitUntil(
    () =>
      spawnSync("docker", ["info"], { env: { ...process.env, DOCKER_HOST: host }, stdio: "ignore" })
        .status === 0,
    { timeout: 120_000, interval: 250 },
  );
  return host;
}
