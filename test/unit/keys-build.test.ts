import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { canonicalJson, digestOf, sha256 } from "../../src/model/digest.ts";
import { suiteHash } from "../../src/model/suite.ts";
import { buildKey, joinSuiteHash, prefixId, testsJson, verdictKey } from "../../src/stitch/keys.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { type Files, makeCatalog, makeWorkspace, SMALL } from "./workspace.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const target = { baseDigest: DIGEST, platform: "linux/amd64" };
const keysOf = (files: Files = {}, args: Record<string, string> = {}, more = {}) => {
  const { build_key, verdict_key } = stitch(makeCatalog(files), "demo", { args }, { ...target, ...more });
  return { build_key, verdict_key };
};

/** A file of the small workspace with a part replaced. */
function change(file: string, from: string, to: string): Files {
  const text = SMALL[file] ?? "";
  if (!text.includes(from)) throw new Error(`${file} holds no ${from}`);
  return { [file]: text.replace(from, to) };
}

describe("the build key", () => {
  it.each([
    ["a fragment's Dockerfile", change("fragments/core/0.1.1/Dockerfile.hbs", "--fast", "--slow")],
    ["a comment in it", change("fragments/core/0.1.1/Dockerfile.hbs", "RUN", "# a\nRUN")],
    ["a file's contents", { "fragments/app/0.1.0/server.py": "print('hallo')\n" }],
    ["a byte of a file in a folder", { "fragments/app/0.1.0/data/b.txt": "b" }],
    ["a file more in a folder", { "fragments/app/0.1.0/data/c.txt": "" }],
    ["a file less in a folder", { "fragments/app/0.1.0/data/b.txt": null }],
    ["a file's name", { "fragments/app/0.1.0/data/b.txt": null, "fragments/app/0.1.0/data/c.txt": "b\n" }],
    ["an argument in the manifest", change("manifests/demo.yaml", "8080}", "8081}")],
    ["an argument's default", change("fragments/core/0.1.1/fragment.yaml", "python3", "python4")],
    ["the base", change("manifests/demo.yaml", "bookworm", "trixie")],
    ["the template", change("templates/plain/0.1.0/Dockerfile.hbs", "AS base\n", "AS base\nUSER root\n")],
    ["a fragment's version", change("manifests/demo.yaml", "core: ~0.1", "core: 0.1.0")],
    ["a fragment more", change("manifests/demo.yaml", "{core", "{extra: 0.1.0, core")],
    ["the manifest's summary, which is a label", change("manifests/demo.yaml", "A demonstration", "Another")],
  ])("changes with %s", (_, files) => {
    const [before, after] = [keysOf(), keysOf(files)];
    expect(after.build_key).not.toBe(before.build_key);
    expect(after.verdict_key).not.toBe(before.verdict_key);
  });

  it("changes with a value from the command line, the platform and the base's digest", () => {
    const keys = [
      keysOf(),
      keysOf({}, { port: "8081" }),
      keysOf({}, {}, { platform: "linux/arm64" }),
      keysOf({}, {}, { platform: null }),
      keysOf({}, {}, { baseDigest: `sha256:${"2".repeat(64)}` }),
      keysOf({}, {}, { baseDigest: null }),
    ].map(({ build_key }) => build_key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each([
    ["a file", "fragments/app/0.1.0/server.py", 0o755],
    ["a file in a folder", "fragments/app/0.1.0/data/a.txt", 0o600],
    ["a folder", "fragments/app/0.1.0/data", 0o750],
  ])("changes with the mode of %s", (_, path, mode) => {
    const root = makeWorkspace();
    const key = () => stitch(openCatalog(root), "demo").build_key;
    const before = key();
    chmodSync(join(root, path), mode);
    expect(key()).not.toBe(before);
  });

  it.each([
    ["every COPY sets them", 'COPY --chmod=0755 {{file "server.py"}} /a', false],
    [
      "another stage's COPY does not",
      'COPY --chmod=0644 {{file "server.py"}} /a\nCOPY --from=base /etc /etc',
      false,
    ],
    [
      "a RUN mounts a cache",
      'COPY --chmod=0755 {{file "server.py"}} /a\nRUN --mount=type=cache,target=/c true',
      false,
    ],
    ["one COPY does not", 'COPY --chmod=0755 {{file "server.py"}} /a\nCOPY {{file "server.py"}} /b', true],
    ["a COPY changes them", 'COPY --chmod=u+x {{file "server.py"}} /a', true],
    ["an ADD does not", 'ADD {{file "server.py"}} /a', true],
    [
      "a RUN mounts the context",
      'COPY --chmod=0755 {{file "server.py"}} /a\nRUN --mount=target=/c cp /c/fragments/app/0.1.0/server.py /b',
      true,
    ],
    [
      "a RUN mounts it beside a cache",
      'COPY --chmod=0755 {{file "server.py"}} /a\nRUN --mount=type=cache,target=/d --mount=type=bind,target=/c true',
      true,
    ],
  ])("takes the modes of files in only where they can reach the image: %s", (_, body, matters) => {
    const root = makeWorkspace({ "fragments/app/0.1.0/Dockerfile.hbs": `${body}\n` });
    const key = () => stitch(openCatalog(root), "demo").build_key;
    const before = key();
    chmodSync(join(root, "fragments/app/0.1.0/server.py"), 0o664);
    expect(key() !== before).toBe(matters);
  });

  it.each([
    [
      "a fragment's summary",
      change("fragments/core/0.1.1/fragment.yaml", "order", "summary: Another\norder"),
    ],
    ["an argument's summary", change("fragments/app/0.1.0/fragment.yaml", "Where it listens", "Another")],
    ["a template's summary", change("templates/plain/0.1.0/template.yaml", "A chain", "Another")],
    [
      "an argument that the Dockerfile does not use",
      change("fragments/core/0.1.1/fragment.yaml", "}}", "}, b: {type: string, default: x}}"),
    ],
    ["a comment in YAML", change("manifests/demo.yaml", "args:", "# a comment\nargs:")],
    [
      "a fragment beside",
      {
        "fragments/core/0.9.0/fragment.yaml": "schema_version: 1\nname: core\nversion: 0.9.0\norder: 1\n",
        "fragments/core/0.9.0/Dockerfile.hbs": "",
      },
    ],
    ["a plan", change("control_plane/plans/grid.yaml", "0.2.0, ", "")],
    ["a file that nothing copies", { "fragments/app/0.1.0/README.md": "x" }],
    ["the repositories", { "factory.yaml": "schema_version: 1\nrepository: elsewhere/team\n" }],
    ["a test's summary", change("manifests/demo.yaml", "It answers", "Another")],
  ])("stays, and so does the verdict key, with %s", (_, files) => {
    expect(keysOf(files)).toEqual(keysOf());
  });

  it.each([
    [
      "a test more",
      change("manifests/demo.yaml", "smoke:", "smoke:\n  - {id: b, command: {argv: ['true']}}"),
    ],
    [
      "a test less",
      change(
        "manifests/demo.yaml",
        "smoke:\n  - {id: answers, summary: It answers, http: {port: 8080, path: /}}\n",
        "",
      ),
    ],
    ["a test's id", change("manifests/demo.yaml", "id: answers", "id: replies")],
    ["what a test checks", change("manifests/demo.yaml", "path: /}", "path: /x}")],
    [
      "a fragment's test",
      change(
        "fragments/app/0.1.0/fragment.yaml",
        "order",
        "smoke: [{id: a, command: {argv: ['true']}}]\norder",
      ),
    ],
    ["the containers' limits", { "factory.yaml": "schema_version: 1\nsmoke: {pids: 9}\n" }],
    ["the GPUs", change("manifests/demo.yaml", "args:", "gpus: 1\nargs:")],
  ])("stays, while the verdict key changes, with %s", (_, files) => {
    const [before, after] = [keysOf(), keysOf(files)];
    expect(after.build_key).toBe(before.build_key);
    expect(after.verdict_key).not.toBe(before.verdict_key);
  });

  it("changes with any byte of any input", () => {
    const inputs = {
      dockerfile: "FROM x RUN y",
      files: [
        { path: "a", mode: "0644", sha256: sha256("a") },
        { path: "b/c", mode: "0755", sha256: sha256("b") },
      ],
      base: { ref: "debian:bookworm-slim", digest: DIGEST },
      platform: "linux/amd64",
    };
    const key = buildKey(inputs);
    const text = JSON.stringify(inputs);
    // Letters and digits alone: what is JSON's own would not be the same document any more.
    const places = [...text.matchAll(/(?<=":"[^"]*)[A-Za-z0-9]/g)].map(({ index }) => index);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom(..."azAZ09"), (at, char) => {
        fc.pre(text[at] !== char);
        const changed = JSON.parse(text.slice(0, at) + char + text.slice(at + 1)) as typeof inputs;
        expect(buildKey(changed)).not.toBe(key);
      }),
      { numRuns: 400 },
    );
  });

  it("never equals a verdict key or a prefix of another chain", () => {
    const limits = { memory_mb: 1, pids: 1, timeout_s: 1 };
    expect(verdictKey({ build_key: DIGEST, tests: [], gpus: null, limits })).not.toBe(DIGEST);
    const link = (name: string, version = "1.0.0", args: unknown = {}) => ({ name, version, args });
    const ids = [
      prefixId("a", [link("x")]),
      prefixId("b", [link("x")]),
      prefixId("a", [link("x"), link("y")]),
      prefixId("a", [link("y"), link("x")]),
      prefixId("a", [link("x", "1.0.1")]),
      prefixId("a", [link("x", "1.0.0", { a: 1 })]),
      prefixId("a", [link("x", "1.0.0", { a: "1" })]),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-f0-9]{12}$/);
  });
});

describe("keys that are joined from texts", () => {
  const text = fc.string({ unit: "grapheme" });
  const digest = fc.string().map((one) => sha256(one));
  const file = fc.record({ path: text, mode: fc.option(text), sha256: digest });

  it("are those of the whole objects, for build keys", () => {
    const inputs = fc.record({
      dockerfile: text,
      files: fc.array(file, { maxLength: 4 }),
      base: fc.record({ ref: text, digest: fc.option(digest) }),
      platform: fc.option(text),
    });
    fc.assert(
      fc.property(inputs, ({ dockerfile, ...more }) => {
        const whole = { scheme: "factory/build/1", dockerfile: sha256(dockerfile), ...more };
        expect(buildKey({ dockerfile, ...more })).toBe(digestOf(whole));
      }),
    );
  });

  it("are those of the whole objects, for suites and verdicts", () => {
    const test = fc.record({
      id: text,
      summary: text,
      from: fc.constantFrom("core", "app", "manifest"),
      timeout_s: fc.option(fc.nat(), { nil: undefined }),
      command: fc.record({ argv: fc.array(text, { minLength: 1 }), exit_code: fc.nat(255) }),
    });
    const limits = fc.record({ memory_mb: fc.nat(), pids: fc.nat(), timeout_s: fc.nat() });
    const gpus = fc.constantFrom<("all" | number | null)[]>("all", 2, null);
    fc.assert(
      fc.property(digest, fc.array(test, { maxLength: 4 }), gpus, limits, (build_key, tests, gpu, limit) => {
        const json = tests.map((one) => testsJson(one.from, [one])).join(",");
        expect(joinSuiteHash(json)).toBe(suiteHash(tests));
        const whole = { scheme: "factory/verdict/1", build_key, tests: suiteHash(tests), gpus: gpu };
        expect(
          verdictKey({ build_key, tests, gpus: gpu, limits: { ...limit, more: 1 } as typeof limit }),
        ).toBe(digestOf({ ...whole, limits: limit }));
      }),
    );
  });

  it("are those of the whole objects, for prefixes", () => {
    const value = fc.oneof(text, fc.integer(), fc.boolean());
    const link = fc.record({ name: text, version: text, args: fc.dictionary(text, value) });
    fc.assert(
      fc.property(text, fc.array(link, { maxLength: 4 }), (base, chain) => {
        const whole = digestOf({ scheme: "factory/prefix/1", base, chain });
        expect(prefixId(base, chain)).toBe(whole.slice("sha256:".length, "sha256:".length + 12));
      }),
    );
  });
});

describe("sha256", () => {
  it("is that of the text's UTF-8, or of the bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ud800a"), fc.uint8Array()),
        (data) => {
          expect(sha256(data)).toBe(`sha256:${createHash("sha256").update(data).digest("hex")}`);
        },
      ),
    );
  });
});

describe("canonical JSON", () => {
  it("is what RFC 8785 says", () => {
    const numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0];
    expect(canonicalJson({ numbers, literals: [null, true, false], string: '€$\u000f\nA\'B"\\\\"/' })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(canonicalJson({ "\ud83d\ude00": 1, "\ufb33": 2, "€": 3, "\r": 4, "1": 5 })).toBe(
      '{"\\r":4,"1":5,"€":3,"😀":1,"\ufb33":2}',
    );
  });

  it("is one text for one value, and is JSON for it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(digestOf(reversed)).toBe(digestOf(value));
      }),
    );
  });

  it.each([[undefined], [Number.NaN], [Number.POSITIVE_INFINITY], ["\ud800"], [{ "\udc00": 1 }], [[1n]]])(
    "has no form for %o",
    (value) => {
      expect(() => canonicalJson(value)).toThrow();
    },
  );
});
