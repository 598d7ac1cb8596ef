import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { handOver } from "../../src/builder/handover.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { FactoryError } from "../../src/errors.ts";
import { createMask } from "../../src/model/mask.ts";
import { withCell } from "../../src/plan/cell.ts";
import { openSecrets } from "../../src/run/secrets.ts";
import type { BakeOptions } from "../../src/tools/buildx.ts";
import { BuildFails, manyCells, runIn } from "./run-world.ts";
import { type Files, SMALL } from "./workspace.ts";

const VALUE = "s3cret-value-of-this-test";

/** Six cells, whose core uses the secret `a`; `more` says more of factory.yaml. */
function cellsWithSecret(more = "secrets: {a: {env: A}}\n", changes: Files = {}) {
  const cores = ["0.2.0", "0.2.1", "0.2.2", "0.2.3", "0.2.4"].flatMap((version) => [
    [
      `fragments/core/${version}/fragment.yaml`,
      `schema_version: 1\nname: core\nversion: ${version}\norder: 10\nsecrets: [a]\n`,
    ],
    [`fragments/core/${version}/Dockerfile.hbs`, `RUN --mount=type=secret,id=a core ${version}\n`],
  ]);
  return manyCells({
    ...(Object.fromEntries(cores) as Files),
    "factory.yaml": `schema_version: 1\n${more}`,
    ...changes,
  });
}

/** The real secrets of a run, with what obtaining gives. */
function secretsOf(root: string, obtain: (name: string) => string, set: readonly string[] = []) {
  const asked: string[] = [];
  const notes: string[] = [];
  const mask = createMask();
  const secrets = openSecrets({
    settings: () => openCatalog(root).secrets(),
    obtain: async (_, name) => {
      await Promise.resolve();
      asked.push(name);
      return { value: obtain(name), path: null };
    },
    isSet: (variable) => set.includes(variable),
    mask,
    note: (text) => void notes.push(text),
  });
  return { secrets, asked, notes };
}

/** All texts below a folder. */
function textsIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => readFileSync(join(one.parentPath, one.name), "utf8"))
    .join("\n");
}

/** What of a bake hands over secrets. */
const handed = ({ env, set, read, ssh }: BakeOptions) => ({ value: env?.FACTORY_SECRET_a, set, read, ssh });

it("obtains each secret once, and hands it to each bake in its environment alone", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets, asked } = secretsOf(root, () => VALUE);
  const bakes: BakeOptions[] = [];
  const { value } = await runIn({
    root,
    planned,
    deps: { secrets },
    platform: "linux/amd64",
    build: (options) => void bakes.push(options),
  });
  expect(value?.summary).toMatchObject({ pass: 5, error: 0 });
  expect(asked).toEqual(["the secret `a`"]);
  expect(bakes).toHaveLength(5);
  for (const options of bakes) {
    const set = options.targets.map((target) => `${target}.secrets=type=env,id=a,env=FACTORY_SECRET_a`);
    expect(handed(options)).toEqual({ value: VALUE, set, read: [], ssh: false });
    expect(JSON.stringify({ ...options, env: null })).not.toContain(VALUE);
  }
  expect(textsIn(root)).not.toContain(VALUE);
});

it("hands them to the bake that fills the cache with prefixes, too", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, () => VALUE);
  const bakes: BakeOptions[] = [];
  await runIn({
    root,
    planned,
    deps: { secrets },
    platform: "linux/amd64",
    cache: { place: { type: "registry", repository: "127.0.0.1:5000/cache" }, writes: true },
    build: (options) => void bakes.push(options),
  });
  const filling = bakes.filter(({ targets }) => targets.every((target) => !target.includes("linux-amd64_")));
  expect(filling.length).toBeGreaterThan(0);
  for (const options of bakes) {
    expect(options.set?.filter((one) => one.includes(".secrets="))).toHaveLength(options.targets.length);
    expect(options.env?.FACTORY_SECRET_a).toBe(VALUE);
  }
});

it("says all that is missing before anything is built", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, (name) => {
    throw new FactoryError("SECRET_MISSING", `${name}: $A is not set`, { fix: "set A" });
  });
  const built: string[] = [];
  const { error, finished } = await runIn({
    root,
    planned,
    deps: { secrets },
    platform: "linux/amd64",
    build: (_, target) => void built.push(target),
  });
  expect(error).toMatchObject({ code: "SECRET_MISSING", exitCode: 3, fix: "set A" });
  const all = "core@0.2.0, core@0.2.1, core@0.2.2, core@0.2.3, core@0.2.4";
  expect((error as Error).message).toBe(`the secret \`a\`: $A is not set (needed by ${all})`);
  expect({ built, finished }).toEqual({ built: [], finished: [] });
});

it("refuses a secret that nobody provides, or that is for others", async () => {
  for (const [settings, words] of [
    ["", "nothing says where the secret `a` comes from (needed by core@0.2.0, "],
    ["secrets: {a: {env: A, for: [app]}}\n", "the secret `a` is not for core@0.2.0, core@0.2.1, "],
  ] as const) {
    const { root, planned } = cellsWithSecret(settings);
    const { secrets, asked } = secretsOf(root, () => VALUE);
    const { error } = await runIn({ root, planned, deps: { secrets }, platform: "linux/amd64" });
    expect(error).toMatchObject({ code: "SECRET_UNKNOWN", exitCode: 2 });
    expect((error as Error).message).toContain(words);
    expect(asked).toEqual([]);
  }
});

it("asks for none where a record proves the cells, and for none of an image that is known", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets, asked } = secretsOf(root, () => VALUE);
  const reuse = planned.cells.map((cell) =>
    withCell(cell, { action: "reuse", reason: null, record_id: "x-y" }),
  );
  const { value } = await runIn({ root, planned: { ...planned, cells: reuse }, deps: { secrets } });
  expect(value?.summary.reused).toBe(6);
  expect(asked).toEqual([]);
});

it("keeps a value out of log, record, events and errors, wherever a build prints it", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, () => VALUE);
  const one = {
    ...planned,
    cells: planned.cells.filter(({ cell }) => cell.platform === "linux/amd64").slice(0, 2),
  };
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const { events, value, store } = await runIn({
    root,
    planned: one,
    jobs: 1,
    deps: { secrets },
    build: ({ onLine, targets }) => {
      const vertex = {
        digest: "sha256:v",
        name: `[core 1/1] RUN echo ${VALUE}`,
        started: "2026-01-01T00:00:00Z",
      };
      onLine(JSON.stringify({ vertexes: [vertex] }));
      const pieces = [`${VALUE}\n${base64(VALUE)}\nsplit: ${VALUE.slice(0, 9)}`, `${VALUE.slice(9)}\n`];
      const logs = pieces.map((text, at) => ({
        vertex: "sha256:v",
        stream: 1,
        data: base64(text),
        timestamp: `2026-01-01T00:00:0${at}Z`,
      }));
      for (const log of logs) onLine(JSON.stringify({ logs: [log] }));
      if (targets.at(-1)?.includes("core-0_2_1"))
        throw new BuildFails(`process "echo ${VALUE}" did not complete successfully: exit code: 1`);
    },
  });
  expect(value?.summary).toMatchObject({ pass: 1, fail: 1 });
  const everything = [textsIn(root), JSON.stringify(events), JSON.stringify(value)].join("\n");
  for (const form of [VALUE, base64(VALUE), VALUE.slice(9)]) expect(everything).not.toContain(form);
  expect(everything).toContain("RUN echo ***");
  expect(everything).toContain("split: ***");
  expect(everything).toContain('process \\"echo ***\\" did not complete successfully');
  const verified = await store.verify();
  expect(verified.problems).toEqual([]);
});

it("masks a value before a message is cut, so that no beginning of it stays", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, () => VALUE);
  const { value } = await runIn({
    root,
    planned,
    platform: "linux/amd64",
    deps: { secrets },
    build: ({ onLine }) => {
      onLine(`ERROR: ${"x".repeat(4085)}${VALUE}`);
      onLine(
        JSON.stringify({
          vertexes: [{ digest: "sha256:v", name: `RUN ${VALUE}`, error: `${VALUE} failed` }],
        }),
      );
      throw new BuildFails(`${"y".repeat(492)}${VALUE}`);
    },
  });
  expect(value?.summary.error).toBe(5);
  expect(`${textsIn(root)}${JSON.stringify(value)}`).not.toContain(VALUE.slice(0, 6));
});

it("keeps out of reports what a step wrote into the image and a smoke test prints", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, () => VALUE);
  const { events, value, store } = await runIn({
    root,
    planned,
    platform: "linux/amd64",
    deps: {
      secrets,
      smokeTest: (_image, _inspected, { inputs }) =>
        Promise.resolve({
          status: "fail",
          tests: inputs.tests.map(({ from, id }) => ({
            id: `${from}/${id}`,
            status: "fail",
            duration_ms: 1,
            expected: "exits with 0",
            actual: `token=${VALUE}`,
          })),
        }),
    },
  });
  expect(value?.summary.fail).toBe(5);
  const everything = [textsIn(root), JSON.stringify(events), JSON.stringify(value)].join("\n");
  expect(everything).not.toContain(VALUE);
  expect(everything).toContain("token=***");
  expect((await store.verify()).problems).toEqual([]);
});

it("tells nobody of a value in an error that ends the run", async () => {
  const { root, planned } = cellsWithSecret();
  const { secrets } = secretsOf(root, () => VALUE);
  const smokeTest = () => Promise.reject(new Error(`got ${VALUE}`));
  const { events, error } = await runIn({
    root,
    planned,
    platform: "linux/amd64",
    deps: { secrets, smokeTest },
  });
  expect((error as Error).message).toContain("got ");
  expect(events.at(-1)).toMatchObject({ type: "run-ended", error: { code: "INTERNAL", what: "got ***" } });
  expect(`${textsIn(root)}${JSON.stringify(events)}`).not.toContain(VALUE);
});

it("refuses a Dockerfile that has the value of a secret in it", async () => {
  const { root, planned } = cellsWithSecret(undefined, {
    "fragments/core/0.2.2/Dockerfile.hbs": `RUN --mount=type=secret,id=a true # ${VALUE}\n`,
  });
  const { secrets } = secretsOf(root, () => `${VALUE}\n`);
  const { error } = await runIn({ root, planned, deps: { secrets }, platform: "linux/amd64" });
  expect(error).toMatchObject({ code: "SECRET_EXPOSED", exitCode: 2 });
  expect((error as Error).message).toMatch(
    /^the value of the secret `a` is in the Dockerfile, .* of demo\.core-0\.2\.2/,
  );
  expect((error as Error).message).not.toContain(VALUE);
});

it.each<[string, Files]>([
  ["fragments/app/0.1.0/data/a.txt", {}],
  [
    "web/.npmrc",
    {
      "fragments/app/0.1.0/fragment.yaml": `${SMALL["fragments/app/0.1.0/fragment.yaml"]}sources: {web: {path: web}}\n`,
      "fragments/app/0.1.0/Dockerfile.hbs": 'COPY {{source "web"}} /web\n',
    },
  ],
])("refuses a file to copy that holds the value of a secret and nothing else: %s", async (path, changes) => {
  for (const content of [VALUE, `${VALUE}\n`]) {
    const { root, planned } = cellsWithSecret(undefined, { ...changes, [path]: content });
    const { secrets } = secretsOf(root, () => VALUE);
    const { error } = await runIn({ root, planned, deps: { secrets }, platform: "linux/amd64" });
    expect(error).toMatchObject({ code: "SECRET_EXPOSED" });
    expect((error as Error).message).toContain(`is in the file ${path}, which is copied into demo`);
  }
});

it("names the ids of secrets in the provenance, and nothing else of them", async () => {
  const { root, planned } = cellsWithSecret();
  const one = {
    ...planned,
    cells: planned.cells.filter(({ cell }) => cell.platform === "linux/amd64").slice(0, 1),
  };
  const { secrets } = secretsOf(root, () => VALUE);
  await runIn({ root, planned: one, deps: { secrets } });
  expect(textsIn(root).replace(/\s+/g, "")).toContain(
    '"internalParameters":{"environment":{},"secrets":[{"kind":"secret","id":"a"}]}',
  );
});

it("warns of a value that is too short to be masked, and of a line break in a variable", async () => {
  const { root, planned } = cellsWithSecret(undefined, {
    "fragments/core/0.2.2/Dockerfile.hbs": "RUN --mount=type=secret,id=a,env=A true\n",
  });
  const { secrets, notes } = secretsOf(root, () => "short\n");
  await runIn({ root, planned, deps: { secrets }, platform: "linux/amd64" });
  expect(notes).toEqual([
    "warning: the secret `a` has fewer than 8 characters, so it cannot be masked in logs",
    "warning: the secret `a` ends in a line break, which the variable that holds it in a step will have too",
  ]);
});

describe("what steps need to reach the network", () => {
  const PEM = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTAN\n-----END CERTIFICATE-----\n";
  const NETWORK = `network:
  proxy: {http: {env: P}, https: {env: UNSET}, no: {command: [x]}}
  ca: {env: CA}
`;
  const VALUES: Record<string, string> = {
    "the secret `a`": VALUE,
    "the proxy for http": "http://me:pa55word-of-mine@proxy.example:3128\n",
    "the list of hosts without a proxy": "localhost,.corp.example\n",
    "the certificates": PEM,
  };
  const open = (root: string, values = VALUES) =>
    secretsOf(root, (name) => values[name] ?? name, ["P", "CA"]);

  it("is mounted in each step that is built, in no key, and in no recipe; and records are proven with it", async () => {
    const settings = "secrets: {a: {env: A}}\n";
    const plain = cellsWithSecret(settings);
    const { root, planned } = cellsWithSecret(`${settings}${NETWORK}`);
    expect(planned.cells.map(({ keys }) => keys.build_key)).toEqual(
      plain.planned.cells.map(({ keys }) => keys.build_key),
    );
    const { secrets, asked } = open(root);
    const built: string[] = [];
    const bakes: BakeOptions[] = [];
    const { value, store } = await runIn({
      root,
      planned,
      platform: "linux/amd64",
      deps: { secrets },
      build: (options) => {
        bakes.push(options);
        built.push(readFileSync(join(options.file, "../Dockerfile"), "utf8"));
        options.onLine(
          `ERROR: ${VALUES["the proxy for http"]} pa55word-of-mine refused MIIDdzCCAl+gAwIBAgIEAgAAuTAN`,
        );
      },
    });
    expect(value?.summary).toMatchObject({ pass: 5, error: 0 });
    expect(asked.sort()).toEqual(Object.keys(VALUES).sort());
    for (const text of built) {
      expect(text).toMatch(
        /^RUN --mount=type=secret,id=factory_http_proxy,env=http_proxy .*id=factory_ca,.* core/m,
      );
      expect(text).not.toContain("factory_https_proxy");
      expect(text.match(/type=secret,id=a core/)).toHaveLength(1);
    }
    expect(bakes[0]?.env).toMatchObject({
      FACTORY_SECRET_factory_http_proxy: "http://me:pa55word-of-mine@proxy.example:3128",
      FACTORY_SECRET_factory_no_proxy: "localhost,.corp.example",
      FACTORY_SECRET_factory_ca: PEM,
      FACTORY_SECRET_factory_ca_path: "/run/secrets/factory_ca",
    });
    expect(bakes[0]?.set).toHaveLength(5);
    expect(textsIn(root)).not.toMatch(/pa55word|MIIDdzCC/);
    expect((await store.verify()).problems).toEqual([]);
  });

  it("makes no record false that was built without it, or with more of it than another", async () => {
    const { root, planned } = cellsWithSecret(`secrets: {a: {env: A}}\n${NETWORK}`);
    const { secrets } = secretsOf(root, (name) => VALUES[name] ?? name, []);
    const { store } = await runIn({ root, planned, platform: "linux/amd64", deps: { secrets } });
    expect((await store.verify()).problems).toEqual([]);
    const more = await runIn({
      root,
      planned,
      platform: "linux/amd64",
      deps: { secrets: open(root).secrets },
    });
    expect((await more.store.verify()).problems).toEqual([]);
  });

  it.each<[string, string, string]>([
    ["the proxy for http", "proxy.example:3128", "is not a URL such as http://proxy.example:3128"],
    ["the proxy for http", "file:///etc/passwd", "is not a URL"],
    ["the list of hosts without a proxy", "a b", "has a space or a line break in it"],
    ["the certificates", "/etc/ssl/cert.pem", "there is no certificate in PEM form in it"],
  ])("is refused before anything is built: %s as %j", async (name, bad, words) => {
    const { root, planned } = cellsWithSecret(`secrets: {a: {env: A}}\n${NETWORK}`);
    const { secrets } = open(root, { ...VALUES, [name]: bad });
    const built: string[] = [];
    const { error } = await runIn({
      root,
      planned,
      platform: "linux/amd64",
      deps: { secrets },
      build: (_, at) => void built.push(at),
    });
    expect(error).toMatchObject({ code: "SECRET_MISSING", where: { file: "factory.yaml" } });
    expect((error as Error).message).toContain(`${name}: `);
    expect((error as Error).message).toContain(words);
    expect(built).toEqual([]);
  });

  it("warns of a proxy that a step does not reach", async () => {
    const { root, planned } = cellsWithSecret(`secrets: {a: {env: A}}\n${NETWORK}`);
    const { secrets, notes } = open(root, { ...VALUES, "the proxy for http": "http://127.0.0.1:3128" });
    await runIn({ root, planned, platform: "linux/amd64", deps: { secrets } });
    expect(notes).toEqual([
      "warning: the proxy for http is on this machine's loopback, which steps of a build do not reach",
    ]);
  });
});

describe("handing over", () => {
  it("gives paths as they are, with commas and quotes, and each target only its own", () => {
    const file = { kind: "secret", id: "f", value: "x", path: '/a,b/"c"' } as const;
    const key = { kind: "ssh", id: "default", value: "k", path: "/run/a b/agent" } as const;
    const value = { kind: "secret", id: "v", value: "1\n2", path: null } as const;
    expect(
      handOver([
        { target: "one", secrets: [file, value] },
        { target: "two", secrets: [key] },
        { target: "three", secrets: [] },
      ]),
    ).toEqual({
      env: { FACTORY_SECRET_v: "1\n2" },
      set: [
        'one.secrets=type=file,id=f,"src=/a,b/""c"""',
        "one.secrets=type=env,id=v,env=FACTORY_SECRET_v",
        "two.ssh=default=/run/a b/agent",
      ],
      read: ['/a,b/"c"', "/run/a b/agent"],
      ssh: true,
    });
  });
});
