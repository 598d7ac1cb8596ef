import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { createMask } from "../src/model/mask.ts";
import { openStore } from "../src/pipeline/open-store.ts";
import { openRemote } from "../src/records/remote/remote.ts";
import { createRegistry } from "../src/tools/oci/repository-client.ts";
import { sleep } from "../src/tools/sleep.ts";
import { compare, type Finished, once } from "./measure.ts";
import type { Bench } from "./planner.ts";

/** The registry that test/lab/up starts. */
const REGISTRY = "127.0.0.1:5000";
const LOOK_UPS = 1000;
const AT_ONCE = 16;
const TAGS = 50;

async function timed(work: () => Promise<unknown>): Promise<Finished> {
  const start = performance.now();
  await work();
  return { ms: performance.now() - start, exitCode: 0, stdout: "", peakMib: null };
}

const key = (): string => `sha256:${randomBytes(32).toString("hex")}`;

/** A thousand look-ups of records that the remote does not have, against as many plain HEAD requests. */
async function lookUps({ report }: Bench, root: string): Promise<void> {
  const repository = `factory-bench/${randomBytes(4).toString("hex")}`;
  const open = createRegistry({
    credentialsOf: () => Promise.resolve(null),
    now: Date.now,
    mask: createMask(),
  });
  const { signal } = new AbortController();
  // Each request listens to it.
  setMaxListeners(0, signal);
  const remote = openRemote({
    client: open({ host: REGISTRY, repository }),
    again: (work) => work(),
    sleep,
    random: Math.random,
    signal,
  });
  const store = openStore(root);
  const found = await compare(
    5,
    () =>
      timed(() =>
        remote.fetch(
          store,
          Array.from({ length: LOOK_UPS }, () => ({ verdict_key: key(), build_key: key() })),
        ),
      ),
    () =>
      timed(async () => {
        const limit = pLimit(AT_ONCE);
        const ask = async (kind: string) => {
          const tag = `${kind}-${randomBytes(32).toString("hex")}`;
          await fetch(`http://${REGISTRY}/v2/${repository}/manifests/${tag}`, { method: "HEAD" });
        };
        // A verdict key that is unknown is asked for by its build key too.
        await Promise.all(Array.from({ length: LOOK_UPS }, () => limit(() => ask("v").then(() => ask("b")))));
      }),
  );
  report(`${LOOK_UPS} look-ups in a remote, of two keys each`, "as many HEAD requests", found, 1.5);
}

/** Publishing 50 tags of one image, against `docker buildx imagetools create` for each. */
async function publishing({ factory, report }: Bench, root: string): Promise<void> {
  const repository = `${REGISTRY}/factory-bench-${randomBytes(4).toString("hex")}`;
  const tags = Array.from({ length: TAGS }, (_, at) => `t${at}`).join(", ");
  const documents = (run: number): Record<string, string> => ({
    "factory.yaml": `schema_version: 1\nrepository: ${repository}\n`,
    "manifests/app.yaml":
      "schema_version: 1\nmanifest_id: app\ntemplate: app@0.1.0\nbase: scratch\nfragments: {app: 0.1.0}\n",
    "templates/app/0.1.0/template.yaml":
      "schema_version: 1\ntemplate_id: app\nversion: 0.1.0\nslots: [{name: app}]\n",
    "templates/app/0.1.0/Dockerfile.hbs":
      'FROM {{base}} AS base\n{{slot "app"}}\nFROM {{last}} AS image\n{{labels}}\n',
    "fragments/app/0.1.0/fragment.yaml": "schema_version: 1\nname: app\nversion: 0.1.0\norder: 0\n",
    "fragments/app/0.1.0/Dockerfile.hbs": 'COPY {{file "hello"}} /hello\n',
    "fragments/app/0.1.0/hello": "hello\n",
    "control_plane/products/app.yaml": `schema_version: 1\nproduct_id: app\nmanifest_id: app\nrepository: ${repository}/public-${run}\ntags: [${tags}]\n`,
  });
  const write = (run: number) => {
    for (const [path, text] of Object.entries(documents(run))) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  write(0);
  await factory(root, "run", "--manifest-id", "app", "--push");
  const image = `${repository}/app:linux-amd64`;
  const found = await compare(
    3,
    (run) => {
      write(run + 1);
      return factory(root, "publish", "--product", "app");
    },
    (run) =>
      timed(async () => {
        for (let at = 0; at < TAGS; at += 1) {
          const ref = `${repository}/plain-${run + 1}:t${at}`;
          await once({ argv: ["docker", "buildx", "imagetools", "create", "--tag", ref, image] });
        }
      }),
  );
  report(`factory publish of ${TAGS} tags`, `docker buildx imagetools create, ${TAGS} times`, found);
}

/** Walking from a signed image to all that proves it, against cosign looking at one signature of it. */
async function verifying({ factory, report }: Bench, root: string): Promise<void> {
  const keys = mkdtempSync(join(tmpdir(), "factory-bench-keys-"));
  const cosign = (...argv: string[]) => once({ argv: ["cosign", ...argv], cwd: keys });
  process.env.COSIGN_PASSWORD = "";
  process.env.FACTORY_SIGNING_KEY = join(keys, "cosign.key");
  try {
    if ((await cosign("generate-key-pair").catch(() => null))?.exitCode !== 0) return;
    await cosign("trusted-root", "create", "--out", "root.json");
    // With a key, what was pushed is signed.
    await factory(root, "run", "--manifest-id", "app", "--push", "--force");
    const factoryYaml = readFileSync(join(root, "factory.yaml"), "utf8");
    const image = `${/repository: (\S+)/.exec(factoryYaml)?.[1] ?? ""}/app:linux-amd64`;
    const key = ["--key", join(keys, "cosign.pub")];
    const offline = ["--insecure-ignore-tlog=true", "--allow-http-registry", "--trusted-root", "root.json"];
    const found = await compare(
      5,
      () => factory(root, "verify", image, ...key),
      () => cosign("verify", ...offline, ...key, image),
    );
    report("factory verify of an image, all links", "cosign verify, one signature", found);
  } finally {
    delete process.env.COSIGN_PASSWORD;
    delete process.env.FACTORY_SIGNING_KEY;
    rmSync(keys, { recursive: true, force: true });
  }
}

/** What goes through a registry. */
export async function remote(bench: Bench): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    await publishing(bench, root);
    await verifying(bench, root);
    await lookUps(bench, root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
