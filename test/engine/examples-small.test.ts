import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { exampleWorkspace } from "../unit/example.ts";
import { factory } from "../unit/workspace.ts";
import { describeEngine, docker, registry, uniqueName } from "./engine.ts";

const arch = { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch;

describeEngine("examples/service", () => {
  it("runs its services, scripts and tests after tests, and its record says what was loosened", () => {
    const root = exampleWorkspace("service");
    const repository = `${registry}/${uniqueName("example")}`;
    onTestFinished(() => {
      docker(["image", "rm", "--force", `${repository}/store:linux-${arch}`]);
    });
    const env = { FACTORY_REPOSITORY: repository };
    const validated = factory(root, ["validate"], env);
    expect([validated.status, validated.stderr]).toEqual([0, ""]);
    const ran = factory(
      root,
      ["run", "--manifest-id", "store", "--platform", `linux/${arch}`, "--json"],
      env,
    );
    expect(ran.status, ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as { results: { record_id: string; status: string }[] };
    expect(results.map(({ status }) => status)).toEqual(["pass"]);
    const record = JSON.parse(
      factory(root, ["records", "show", results[0]?.record_id ?? "", "--json"], env).stdout,
    ) as { tests: { id: string; loosened?: string[] }[] };
    expect(record.tests.map(({ id, loosened }) => [id, loosened])).toEqual([
      ["manifest/keeps-a-value", ["writable /var/lib/store"]],
      ["manifest/gives-it-back", undefined],
      ["manifest/as-a-file", ["user 0"]],
      ["manifest/client", ["mounted tests/client.pl", "network with store (the same image)"]],
    ]);
    expect(factory(root, ["records", "verify"], env).status).toBe(0);
  });
});

describeEngine("examples/torch", () => {
  it("builds what fits together", () => {
    const root = exampleWorkspace("torch");
    const env = { FACTORY_REPOSITORY: `${registry}/${uniqueName("example")}` };
    onTestFinished(() => {
      const tags = docker([
        "image",
        "ls",
        "--format",
        "{{.Repository}}:{{.Tag}}",
        `${env.FACTORY_REPOSITORY}/serve`,
      ]);
      docker(["image", "rm", "--force", ...tags.trim().split("\n")]);
    });
    const ran = factory(root, ["run", "--plan", "matrix", "--platform", `linux/${arch}`, "--json"], env);
    expect(ran.status, ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as { results: { cell_id: string; status: string }[] };
    expect(results.map(({ cell_id, status }) => `${cell_id} ${status}`)).toEqual(
      ["cuda-12.1.torch-2.4.1", "cuda-12.4.torch-2.4.1", "cuda-12.4.torch-2.5.1"].map(
        (chosen) => `serve.${chosen}.linux-${arch} pass`,
      ),
    );
  });
});

describeEngine("examples/shared", () => {
  it("builds on a library in a folder, and the same from a registry", () => {
    const root = exampleWorkspace("shared");
    const env = { FACTORY_REPOSITORY: `${registry}/${uniqueName("example")}` };
    onTestFinished(() => {
      const tags = ["idle", "report"].map((id) => `${env.FACTORY_REPOSITORY}/${id}:linux-${arch}`);
      docker(["image", "rm", "--force", ...tags]);
    });
    const run = () => factory(root, ["run", "--all", "--platform", `linux/${arch}`, "--json"], env);
    const passed = (ran: ReturnType<typeof run>) => {
      expect(ran.status, ran.stderr).toBe(0);
      const { results } = JSON.parse(ran.stdout) as { results: { cell_id: string; status: string }[] };
      expect(results.map(({ cell_id, status }) => `${cell_id} ${status}`)).toEqual([
        `idle.linux-${arch} pass`,
        `report.linux-${arch} pass`,
      ]);
    };
    passed(run());
    expect(factory(root, ["records", "verify"], env).status).toBe(0);

    const to = `oci://${registry}/${uniqueName("library")}:1.0`;
    const pushed = factory(join(root, "vendor/company"), ["library", "push", to]);
    expect(pushed.status, pushed.stderr).toBe(0);
    const settings = join(root, "factory.yaml");
    const without = readFileSync(settings, "utf8").replace(/^libraries:\n(?: .*\n)+/m, "");
    writeFileSync(settings, without);
    rmSync(join(root, "vendor"), { recursive: true });
    const added = factory(root, ["library", "add", "company", to]);
    expect(added.status, added.stderr).toBe(0);
    // As on a machine that has nothing but the commit.
    rmSync(join(root, ".factory"), { recursive: true });
    passed(run());
    expect(factory(root, ["records", "verify"], env).status).toBe(0);
  });
});
