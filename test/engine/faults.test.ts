import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeRecords } from "../unit/remote-made.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { describeEngine, docker, registry, uniqueName } from "./engine.ts";
import { faultProxy } from "./fault-proxy.ts";
import { factory, imagesOfTest, makeWorkspace } from "./run-workspace.ts";

interface Ran {
  results: { status: string; record_id: string }[];
}
/** The fragments' versions: an image each. */
const VERSIONS = Array.from({ length: 20 }, (_, at) => `0.${at}.0`);

describeEngine("a registry that fails in 30 % of all requests", () => {
  test("gets 200 images and records, each whole, and every try is told", { timeout: 300_000 }, async () => {
    const faults = await faultProxy(0.3);
    const repository = imagesOfTest(`${faults.host}/`);
    const name = repository.slice(faults.host.length + 1);
    const fragments = Object.fromEntries(
      VERSIONS.map((version) => [version, { body: `COPY <<text /text\n${uniqueName("n")}\ntext` }]),
    );
    const root = makeWorkspace(
      {
        fragments: { core: fragments },
        base: "scratch",
        plans: { all: `axes: {core: [${VERSIONS.join(", ")}]}\n` },
      },
      repository,
    );
    appendFileSync(join(root, "factory.yaml"), "retries: {tries: 20, wait_s: 0}\n");
    const remote = { FACTORY_RECORDS_REMOTE: `oci://${repository}/records` };
    const ran = await factory(root, ["run", "--plan", "all", "--push", "--jobs", "4", "--json"], {
      env: remote,
    });
    // Whatever became of the records: what the cells came to is said, and the records are here.
    const { results } = JSON.parse(ran.stdout) as Ran;
    expect(
      results.map(({ status }) => status),
      ran.stderr,
    ).toEqual(VERSIONS.map(() => "pass"));
    const records = results.map(({ record_id }) => openStore(root).get(record_id) as Promise<FactoryRecord>);
    for (const { image, cell_id } of await Promise.all(records)) {
      expect(image?.pushed).toBe(true);
      const direct = `${registry}/${name}/app@${image?.digest}`;
      expect(docker(["buildx", "imagetools", "inspect", "--raw", direct]), cell_id).toContain("manifests");
    }
    const retries = (await Promise.all(records)).reduce((sum, one) => sum + one.retries, 0);
    expect(ran.stderr.match(/push of .*trying again/g) ?? []).toHaveLength(retries);

    // More records of the same store, until the remote has all of them.
    const made = await writeRecords(
      root,
      Array.from({ length: 200 - VERSIONS.length }, (_, at) => at),
    );
    let before = Object.values(faults.failed).reduce((sum, count) => sum + count, 0);
    for (let left = 5; ; left -= 1) {
      const pushed = await factory(root, ["records", "push"], { env: remote });
      const failed = Object.values(faults.failed).reduce((sum, count) => sum + count, 0);
      const told = pushed.stderr.match(/^warning: .*trying again/gm)?.length ?? 0;
      // Each failed request is told: as a try that is repeated, or as the error of a record.
      expect(told + Number(pushed.exitCode === 3)).toBeGreaterThan(0);
      expect(told).toBeLessThanOrEqual(failed - before);
      before = failed;
      if (pushed.exitCode === 0) break;
      expect([pushed.exitCode, left > 0]).toEqual([3, true]);
    }
    const elsewhere = makeWorkspace({ fragments: { core: {} } }, repository);
    const pulled = await factory(elsewhere, ["records", "pull", "--json"], {
      env: { FACTORY_RECORDS_REMOTE: `oci://${registry}/${name}/records` },
    });
    const ids = [...results, ...made].map(({ record_id }) => record_id).sort();
    expect(JSON.parse(pulled.stdout)).toEqual({
      pushed: [],
      pulled: ids,
      unchanged: 0,
      pruned: [],
      attached: 0,
    });
    const verified = await factory(elsewhere, ["records", "verify", "--json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ verified: 200, problems: [] });
    expect(faults.passed).toBeGreaterThan(200);
    expect(Object.keys(faults.failed).sort()).toEqual(["429", "500", "503", "reset"]);
  });
});
