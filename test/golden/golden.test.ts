import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { factory, filesBelow, copyReference, repository, temporaryFolder, writeFiles } from "../unit/workspace.ts";

/** The expected file of a case, beside its input. */
function golden(name: string, file: string): string {
  return join(repository, "test/golden", name, file);
}

/** What the program prints; throws its error where it fails. */
function output(root: string, argv: string[]): string {
  const { status, stdout, stderr } = factory(root, argv);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

async function expectDockerfile(root: string, manifest: string, name: string): Promise<void> {
  output(root, ["stitch", "--manifest-id", manifest, "-o", "out/Dockerfile"]);
  const files = filesBelow(join(root, "out"));
  expect(Object.keys(files)).toEqual(["Dockerfile", "Dockerfile.dockerignore"]);
  await expect(files.Dockerfile).toMatchFileSnapshot(golden(name, "Dockerfile"));
  await expect(files["Dockerfile.dockerignore"]).toMatchFileSnapshot(golden(name, "Dockerfile.dockerignore"));
}

async function expectPlan(root: string, plan: string, name: string): Promise<void> {
  const of = (format: string) => output(root, ["plan", plan, "--format", format]);
  await expect(of("json")).toMatchFileSnapshot(golden(name, "plan.json"));
  await expect(of("bake")).toMatchFileSnapshot(golden(name, "docker-bake.hcl"));
  await expect(of("github")).toMatchFileSnapshot(golden(name, "strategy.json"));
  await expect(of("table")).toMatchFileSnapshot(golden(name, "table.txt"));
}

describe("the reference workspace", () => {
  it.each(["llm_factory", "core_smoke", "llm_factory_cuda"])("renders %s", async (manifest) => {
    await expectDockerfile(copyReference(), manifest, manifest);
  });

  it.each(["baseline_core_light", "incompatible_core_light", "latest_core_light", "core_smoke"])(
    "plans %s",
    async (plan) => {
      await expectPlan(copyReference(), plan, plan);
    },
  );
});

describe("examples", () => {
  it("render: python-images", async () => {
    const root = temporaryFolder();
    writeFiles(root, filesBelow(join(repository, "examples/python-images")));
    await expectDockerfile(root, "python", "python_images");
  });
});

describe("every word of the template language", () => {
  const workspace = () => {
    const root = temporaryFolder();
    writeFiles(root, filesBelow(golden("language", "workspace")));
    return root;
  };

  it("renders", async () => {
    await expectDockerfile(workspace(), "language", "language");
  });

  it("plans", async () => {
    await expectPlan(workspace(), "language", "language");
  });
});

describe("Dockerfiles that are adopted", () => {
  it.each<[string, number, string[]]>([
    ["adopt-python", 0, ["3.11", "3.12", "3.13"].flatMap((one) => [`${one}/slim-bookworm/Dockerfile`, `${one}/alpine3.20/Dockerfile`])],
    ["adopt-web", 0, ["services/billing/Dockerfile", "services/mail/Dockerfile"]],
    ["adopt-one", 1, ["tiny.Dockerfile"]],
  ])("become a workspace: %s", async (name, status, dockerfiles) => {
    const root = temporaryFolder();
    writeFiles(root, filesBelow(golden(name, "in")));
    const adopted = factory(root, ["adopt", ...dockerfiles, "--out", "images"]);
    expect(adopted.status, adopted.stderr).toBe(status);
    expect(factory(join(root, "images"), ["validate"]).stdout).toMatch(/^valid: /);
    const files = Object.entries(filesBelow(join(root, "images"))).filter(([path]) => !path.startsWith("sources/"));
    const sources = Object.keys(filesBelow(join(root, "images"), ["sources"]));
    const text = [adopted.stdout, ...sources.sort().map((path) => `${path}\n`), ...files.sort().map(([path, content]) => `\n==> ${path}\n${content}`)];
    await expect(text.join("")).toMatchFileSnapshot(golden(name, "images.txt"));
  });
});
