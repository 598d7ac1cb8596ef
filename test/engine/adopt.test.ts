import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeFiles } from "../unit/workspace.ts";
import { describeEngine, temporaryFolder } from "./engine.ts";
import { factory, imagesOfTest } from "./run-workspace.ts";

const DOCKERFILE = `FROM debian:bookworm-slim AS build
WORKDIR /src
COPY . .
RUN cat *.txt > all

FROM debian:bookworm-slim
ARG V=1.2
CMD ["cat", "/srv/all"]
RUN useradd app && echo $V > /v
COPY --from=build --chown=app /src/all /srv/all
COPY a.txt x/ /data/
USER app
`;

describeEngine("new workspaces", () => {
  test("that of init runs at once", { timeout: 300_000 }, async () => {
    const root = temporaryFolder();
    expect((await factory(root, ["init", "images"])).exitCode).toBe(0);
    const ran = await factory(join(root, "images"), ["run", "--manifest-id", "hello", "--json"], {
      env: { FACTORY_REPOSITORY: imagesOfTest() },
    });
    expect(ran.exitCode, ran.stderr + ran.stdout).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ summary: { pass: 1, fail: 0, error: 0 } });
  });

  test(
    "that of a Dockerfile has its layers, and a proof notices what differs",
    { timeout: 300_000 },
    async () => {
      const root = temporaryFolder();
      writeFiles(root, { "app/Dockerfile": DOCKERFILE, "app/a.txt": "a\n", "app/x/b.txt": "b\n" });
      const adopted = await factory(root, ["adopt", "app/Dockerfile", "--prove", "layers", "--json"]);
      expect(adopted.exitCode, adopted.stderr + adopted.stdout).toBe(0);
      expect(JSON.parse(adopted.stdout)).toMatchObject({
        proof: [{ manifest_id: "app", same: true, layers: { same: true, layers: 4 } }],
      });

      // A workspace has git's two modes of files: another mode is another layer.
      chmodSync(join(root, "app/a.txt"), 0o600);
      writeFiles(root, { "odd/Dockerfile": "FROM debian:bookworm-slim\nRUN exit 3\n" });
      const argv = [
        "adopt",
        "app/Dockerfile",
        "odd/Dockerfile",
        "--out",
        "other",
        "--prove",
        "layers",
        "--json",
      ];
      const other = await factory(root, argv);
      expect(other.exitCode).toBe(1);
      expect(JSON.parse(other.stdout)).toMatchObject({
        proof: [
          { same: true, layers: { same: false } },
          { same: true, layers: { same: null } },
        ],
      });
    },
  );
});
