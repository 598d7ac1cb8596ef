import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import {
  copyReference,
  factory,
  filesBelow,
  makeCatalog,
  repository,
  temporaryFolder,
  writeFiles,
} from "../unit/workspace.ts";
import { describeEngine, docker, removeImageAfterwards, uniqueName } from "./engine.ts";

/** Holds a Dockerfile to BuildKit's own rules: its warnings, or the error. */
function check(root: string, file: string): { warnings: unknown[]; problem: string } {
  const argv = ["buildx", "build", "--call=check,format=json", "-f", file, "."];
  const { status, stdout, stderr } = spawnSync("docker", argv, { cwd: root, encoding: "utf8" });
  if (status !== 0 && !stdout.startsWith("{")) return { warnings: [], problem: stderr };
  const found = JSON.parse(stdout) as { warnings?: unknown[]; buildError?: unknown };
  return {
    warnings: found.warnings ?? [],
    problem: found.buildError ? JSON.stringify(found.buildError) : "",
  };
}

function stitchInto(root: string, argv: string[]): string {
  const { status, stderr } = factory(root, ["stitch", ...argv, "-o", "out/Dockerfile"]);
  if (status !== 0) throw new Error(stderr);
  return "out/Dockerfile";
}

describeEngine("docker buildx build --check", () => {
  it("finds a warning where there is one", () => {
    const root = temporaryFolder();
    writeFiles(root, { Dockerfile: "FROM scratch\nENV A b\n" });
    expect(check(root, "Dockerfile").warnings).toHaveLength(1);
  });

  const clean = { warnings: [], problem: "" };

  it.each([
    ["llm_factory", []],
    ["llm_factory", ["--set", "core=0.3.0", "--arg", "port=9090"]],
    ["core_smoke", []],
  ])("has nothing to say of %s %j", (manifest, more) => {
    const root = copyReference();
    expect(check(root, stitchInto(root, ["--manifest-id", manifest, ...more]))).toEqual(clean);
  });

  it("has nothing to say of llm_factory_cuda, on a base that can be had here", () => {
    const root = copyReference();
    const file = "manifests/llm_factory_cuda.yaml";
    const { [file]: text = "" } = filesBelow(root);
    writeFiles(root, { [file]: text.replace(/^base: .*$/m, "base: debian:bookworm-slim") });
    expect(check(root, stitchInto(root, ["--manifest-id", "llm_factory_cuda"]))).toEqual(clean);
  });

  it("has nothing to say of every word of the template language", () => {
    const root = temporaryFolder();
    writeFiles(root, filesBelow(join(repository, "test/golden/language/workspace")));
    expect(check(root, stitchInto(root, ["--manifest-id", "language"]))).toEqual(clean);
    expect(check(root, stitchInto(root, ["--manifest-id", "language", "--set", "words=1.0.0-rc.1"]))).toEqual(
      clean,
    );
  });
});

/** Values of all kinds: what means something to Dockerfiles, shells and JSON, and any other characters. */
const TOKENS = [
  ..." \\'\"$#{}[](),;&|<>=`!*?~%^@:-0aE\u00a0\ufeffé😀",
  "${HOME}",
  "$HOME",
  "<<EOF",
  "FROM x",
  "\\n",
  "&&",
  "--from=a",
];
const value = fc.oneof(
  fc.array(fc.constantFrom(...TOKENS), { minLength: 1, maxLength: 8 }).map((tokens) => tokens.join("")),
  fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
);

describeEngine("values in a real image", () => {
  it("are the ones that were given, in ENV, LABEL, CMD and a file written by RUN", () => {
    const values = fc.sample(value, 60);
    const names = values.map((_, at) => `v${at}`);
    const args = names.map((name) => `  ${name}: {type: string, default: ""}`).join("\n");
    const catalogOf = (dockerfile: string, base: string) =>
      makeCatalog({
        "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs:\n${args}\n`,
        "fragments/app/0.1.0/Dockerfile.hbs": dockerfile,
        "fragments/core/0.1.0/Dockerfile.hbs": "USER root\n",
        "manifests/demo.yaml": `schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: ${base}\nfragments: {core: 0.1.0, app: 0.1.0}\n`,
      });
    // What no helper may write is left out here; stitch-values.test.ts holds what is refused.
    const probe = catalogOf(
      "ENV A={{quote args.v0}}\nRUN echo {{sh args.v0}}\nCMD [{{json args.v0}}]\n",
      "scratch",
    );
    const allowed = values.filter((v0) => {
      try {
        return stitch(probe, "demo", { args: { v0 } }).dockerfile !== "";
      } catch (error) {
        if (error instanceof FactoryError) return false;
        throw error;
      }
    });
    expect(allowed.length).toBeGreaterThan(20);

    const lines = [
      ...allowed.map(
        (_, at) => `ENV E${at}={{quote args.v${at}}} F${at}=1\nLABEL l${at}={{quote args.v${at}}}`,
      ),
      `RUN printf '%s\\n' ${allowed.map((_, at) => `{{sh args.v${at}}}`).join(" \\\n  ")} > /values`,
      `CMD ["cat", "/values", ${allowed.map((_, at) => `{{json args.v${at}}}`).join(", ")}]`,
    ];
    const given = Object.fromEntries(allowed.map((one, at) => [`v${at}`, one]));
    const catalog = catalogOf(`${lines.join("\n")}\n`, "debian:bookworm-slim");
    const { dockerfile } = stitch(catalog, "demo", { args: given });
    const tag = `${uniqueName("factory-values")}:1`;
    removeImageAfterwards(tag);
    writeFiles(catalog.root, { Dockerfile: dockerfile });
    execFileSync("docker", ["buildx", "build", "--load", "-q", "-t", tag, "-f", "Dockerfile", "."], {
      cwd: catalog.root,
    });

    const [image] = JSON.parse(docker(["image", "inspect", tag])) as {
      Config: { Env: string[]; Labels: Record<string, string>; Cmd: string[] };
    }[];
    const { Env = [], Labels = {}, Cmd = [] } = image?.Config ?? {};
    expect(
      allowed.map((_, at) => Env.find((one) => one.startsWith(`E${at}=`))?.slice(`E${at}=`.length)),
    ).toEqual(allowed);
    expect(allowed.map((_, at) => Labels[`l${at}`])).toEqual(allowed);
    expect(Cmd.slice(2)).toEqual(allowed);
    const written = docker(["run", "--rm", "--network", "none", "--entrypoint", "cat", tag, "/values"]);
    expect(written).toBe(allowed.map((one) => `${one}\n`).join(""));
  });
});
