import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { familyOf } from "../unit/parents-made.ts";
import { describeEngine, docker, temporaryFolder } from "./engine.ts";
import { factory, imagesOfTest } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

/** A workspace of three manifests in a chain, of which plans ask for the lowest only. */
function makeChain(repository: string): string {
  const root = temporaryFolder();
  const files = {
    ...familyOf({ top: null, middle: "top", leaf: "middle" }),
    "factory.yaml": `schema_version: 1\nrepository: ${repository}\n`,
    "control_plane/plans/leaves.yaml": "schema_version: 1\nplan_id: leaves\nmanifest_id: leaf\n",
    // A file of the fragment, and what is above: the image has the contents of all three builds.
    "fragments/word/0.1.0/Dockerfile.hbs":
      'COPY {{file "text"}} /text\nRUN cat /text >> /words && echo {{quote args.word}} >> /words\n',
    "fragments/word/0.1.0/text": "text 1\n",
  };
  for (const [path, text] of Object.entries(files)) {
    if (text === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o644);
  }
  return root;
}

interface Results {
  results: { manifest_id: string; status: string; class: string | null; notes: string[] }[];
  summary: Record<string, number>;
}

interface RecordFile {
  base: { ref: string; digest: string };
  image: { digest: string };
}

describeEngine("a chain of manifests on the engine", () => {
  it("leaves no old content anywhere after one run, reuses what is proven, and blocks what is below a failure", async () => {
    const repository = imagesOfTest();
    const root = makeChain(repository);
    const run = async (...more: string[]) => {
      const { exitCode, stdout } = await factory(root, ["--json", "run", "--all", "--reuse", ...more]);
      const { results, summary } = JSON.parse(stdout) as Results;
      return {
        exitCode,
        summary,
        status: Object.fromEntries(results.map((one) => [one.manifest_id, one.status])),
        results,
      };
    };
    const contents = (id: string) =>
      docker(["run", "--rm", `${repository}/${id}:linux-amd64`, "cat", "/words"]);
    const newest = (id: string): RecordFile => {
      const folder = join(root, "records", id);
      const name =
        readdirSync(folder)
          .filter((one) => one.endsWith(".json"))
          .sort()
          .at(-1) ?? "";
      return JSON.parse(readFileSync(join(folder, name), "utf8")) as RecordFile;
    };
    const edit = (path: string, from: string, to: string) => {
      const before = readFileSync(join(root, path), "utf8");
      expect(before).toContain(from);
      writeFileSync(join(root, path), before.replace(from, to));
    };
    await factory(root, ["lock"]);

    expect(await run()).toMatchObject({ exitCode: 0, summary: { pass: 3 } });
    expect(contents("leaf")).toBe("text 1\ntop\ntext 1\nmiddle\ntext 1\nleaf\n");
    for (const [child, parent] of [
      ["leaf", "middle"],
      ["middle", "top"],
    ] as const)
      expect(newest(child).base).toEqual({
        ref: `parent.invalid/${parent}`,
        digest: newest(parent).image.digest,
      });

    // Only the top changes: one run, and nothing old is left.
    edit("manifests/top.yaml", "word: top", "word: new-top");
    expect(await run()).toMatchObject({ exitCode: 0, summary: { pass: 3, reused: 0 } });
    for (const id of ["top", "middle", "leaf"]) expect(contents(id)).not.toMatch(/^top$/m);
    expect(contents("leaf")).toBe("text 1\nnew-top\ntext 1\nmiddle\ntext 1\nleaf\n");
    expect(await run()).toMatchObject({ exitCode: 0, summary: { pass: 0, reused: 3 } });

    // Only the leaf changes, and somebody moves the tag of what it starts from.
    const proven = newest("middle").image.digest;
    docker(["tag", tinyBase(), `${repository}/middle:linux-amd64`]);
    docker(["tag", proven, `${repository}/middle:kept`]);
    edit("manifests/leaf.yaml", "word: leaf", "word: new-leaf");
    expect((await run()).status).toEqual({ top: "reused", middle: "reused", leaf: "pass" });
    expect(newest("leaf").base.digest).toBe(proven);
    expect(contents("leaf")).toBe("text 1\nnew-top\ntext 1\nmiddle\ntext 1\nnew-leaf\n");

    // The middle fails: what starts from it is not built from anything older.
    edit("manifests/middle.yaml", "args:", "smoke: [{id: fails, command: {argv: [cat, /none]}}]\nargs:");
    edit("manifests/leaf.yaml", "word: new-leaf", "word: newest-leaf");
    const blocked = await run();
    expect(blocked).toMatchObject({ exitCode: 1, status: { top: "reused", middle: "fail", leaf: "error" } });
    const leaf = blocked.results.find(({ manifest_id }) => manifest_id === "leaf");
    expect(leaf?.class).toBe("blocked");
    expect(leaf?.notes[0]).toContain("blocked by middle.linux-amd64");
    expect(contents("leaf")).toContain("new-leaf\n");

    const verified = await factory(root, ["--json", "records", "verify"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [] });
    expect(readdirSync(join(root, ".factory/held"))).toEqual([]);
    const tags = docker(["image", "ls", "--format", "{{.Tag}}", "--filter", `reference=${repository}/*`]);
    expect(tags).not.toContain("factory-run-");
  }, 240_000);

  it("is baked from one file by plain docker, and stitched by docker build with one context", async () => {
    const repository = imagesOfTest();
    const root = makeChain(repository);
    const bake = join(root, "docker-bake.hcl");
    expect((await factory(root, ["plan", "leaves", "--format", "bake", "-o", bake])).exitCode).toBe(0);
    const inRoot = { cwd: root, stdio: "pipe" } as const;
    execFileSync("docker", ["buildx", "bake", "-f", bake], inRoot);
    const read = (image: string) => docker(["run", "--rm", image, "cat", "/words"]);
    expect(read(`${repository}/leaf:linux-amd64`)).toBe("text 1\ntop\ntext 1\nmiddle\ntext 1\nleaf\n");

    await factory(root, ["stitch", "--manifest-id", "leaf"]);
    const file = ".factory/stitch/leaf/Dockerfile";
    const image = `${repository}/leaf:plain`;
    expect(() => execFileSync("docker", ["build", "-f", file, "-t", image, "."], inRoot)).toThrow(
      /parent\.invalid/,
    );
    const context = `parent.invalid/middle=docker-image://${repository}/middle:linux-amd64`;
    execFileSync("docker", ["build", "--build-context", context, "-f", file, "-t", image, "."], inRoot);
    expect(read(image)).toBe("text 1\ntop\ntext 1\nmiddle\ntext 1\nleaf\n");
    const labels = JSON.parse(
      docker(["image", "inspect", "--format", "{{json .Config.Labels}}", image]),
    ) as object;
    expect(labels).toMatchObject({ "io.factory.parent": "middle", "org.opencontainers.image.base.name": "" });
  }, 120_000);
});
