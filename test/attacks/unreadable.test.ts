import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { cleanEnv, cli, makeWorkspace } from "../unit/workspace.ts";

/** Root may read everything: the program is run as somebody else then. */
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
const isRoot = process.getuid?.() === 0;
const as = isRoot ? NOBODY : [];
const canBeNobody =
  spawnSync(as[0] ?? "true", [...as.slice(1), process.execPath, cli, "--version"], { stdio: "ignore" })
    .status === 0;

/** A workspace of which everything can be read and nothing written but what lies in `.factory`. */
function workspace(): string {
  const root = makeWorkspace({ "records/demo/ledger/kept": "", "records/demo/evidence/kept": "" });
  for (const folder of [".factory", ".factory/run", ".factory/held", ".factory/layers"]) {
    mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, folder), 0o777);
  }
  return root;
}

function run(root: string, argv: readonly string[]) {
  const [program = "", ...rest] = [...as, process.execPath, cli, ...argv];
  const { status, stdout, stderr } = spawnSync(program, rest, {
    cwd: "/",
    env: cleanEnv({ FACTORY_WORKSPACE: root, DOCKER_HOST: "unix:///nowhere/docker.sock" }),
    encoding: "utf8",
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  return { status, said: `${stdout}${stderr}` };
}

const VALIDATE = ["validate"];
const STITCH = ["stitch", "--manifest-id", "demo"];
const LIST = ["records", "list"];
const VERIFY = ["records", "verify"];
const REUSE = ["plan", "grid", "--reuse"];
const RUN = ["run", "--manifest-id", "demo"];
const PLACES: [string, readonly string[][]][] = [
  [".", [VALIDATE, STITCH, LIST]],
  ["factory.yaml", [VALIDATE, STITCH]],
  ["factory.lock", [["plan", "grid", "--locked"], RUN]],
  ["manifests", [VALIDATE, STITCH, RUN]],
  ["manifests/demo.yaml", [VALIDATE, STITCH]],
  ["fragments", [VALIDATE, STITCH]],
  ["fragments/app", [VALIDATE, STITCH]],
  ["fragments/app/0.1.0", [VALIDATE, STITCH]],
  ["fragments/app/0.1.0/Dockerfile.hbs", [VALIDATE, STITCH]],
  ["fragments/app/0.1.0/server.py", [VALIDATE, STITCH, RUN]],
  ["fragments/app/0.1.0/data", [VALIDATE, STITCH, RUN]],
  ["templates/plain/0.1.0", [VALIDATE, STITCH]],
  ["control_plane", [VALIDATE, ["plan", "grid"]]],
  ["control_plane/plans", [VALIDATE, ["plan", "grid"], ["explain", "grid"]]],
  ["records", [LIST, VERIFY, REUSE, RUN]],
  ["records/demo", [LIST, VERIFY, REUSE]],
  ["records/demo/ledger", [VERIFY, REUSE]],
  ["records/demo/20260101t000000000z-0123456789abcdef.json", [LIST, VERIFY, REUSE]],
  [".factory", [STITCH, REUSE, RUN]],
  [".factory/run", [RUN]],
  [".factory/held", [RUN]],
  [".factory/layers", [RUN]],
];

describe("what may not be read", { timeout: 300_000 }, () => {
  it.skipIf(!canBeNobody).each(PLACES)(
    "B3 at %s ends every command that needs it with a clear error",
    (place, commands) => {
      const root = workspace();
      const path = join(root, place);
      if (/\.(json|lock)$/.test(place)) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, "{}");
      }
      chmodSync(path, 0);
      onTestFinished(() => chmodSync(path, 0o755));
      for (const argv of commands) {
        const { status, said } = run(root, argv);
        expect([0, 1, 2, 3], `${argv.join(" ")}: ${said}`).toContain(status);
        expect(said).not.toMatch(/INTERNAL|\n {4}at /);
      }
    },
  );

  it.skipIf(!canBeNobody)("B3 a `.factory` that may not be written ends with 3, and says so", () => {
    const root = workspace();
    chmodSync(root, 0o755);
    rmSync(join(root, ".factory"), { recursive: true });
    if (!isRoot) chmodSync(root, 0o555);
    onTestFinished(() => chmodSync(root, 0o755));
    const plan = ["plan", "grid", "--format", "bake"];
    for (const argv of [STITCH, plan]) {
      const { status, said } = run(root, argv);
      expect([status, said]).toEqual([3, expect.stringContaining("error WRITE_FAILED")]);
      expect(said).toContain("EACCES");
    }
    expect(run(root, [...STITCH, "-o", "-"]).status).toBe(0);
  });
});
