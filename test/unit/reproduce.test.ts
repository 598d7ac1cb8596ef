import { describe, expect, it } from "vitest";
import type { LayerComparison } from "../../src/compare/compare-images.ts";
import { layerOrigins } from "../../src/sbom/layer-origin.ts";
import { createOwners } from "../../src/reproduce/owners.ts";
import { packageChanges, packageText } from "../../src/reproduce/packages.ts";
import { recordedLayers } from "../../src/reproduce/recorded-layers.ts";
import { explainLayers, outcomeOf, unexplainedBy } from "../../src/reproduce/verdict.ts";
import { secretsIn } from "../../src/reproduce/recorded-secrets.ts";
import { INPUTS } from "./records-made.ts";

const DOCKERFILE = `ARG VERSION=1
FROM debian:bookworm-slim AS base

FROM golang:1 AS tool
RUN go build

FROM base AS core
ARG X=1
ENV A=b
RUN apt-get install \\
 && true
WORKDIR /srv

FROM core AS app
COPY --from=tool --chmod=0755 /go/bin/x /usr/bin/x
COPY <<EOF /etc/x
RUN no
EOF

FROM app AS image
USER 1000
LABEL a=b
`;

const FRAGMENTS = [
  { name: "core", version: "0.1.0" },
  { name: "app", version: "0.2.0" },
  { name: "tool", version: "1.0.0" },
];

const made = (created_by: string) => ({ created_by, empty: false });
const empty = (created_by: string) => ({ created_by, empty: true });

const HISTORY = [
  made("RUN base"),
  empty("CMD base"),
  empty("ARG X=1"),
  empty("ENV A=b"),
  made("RUN |1 X=1 /bin/sh -c apt-get install # buildkit"),
  made("WORKDIR /srv"),
  made("COPY --chmod=0755 /go/bin/x /usr/bin/x # buildkit"),
  made("COPY <<EOF /etc/x # buildkit"),
  empty("USER 1000"),
  empty("LABEL a=b"),
];

const layersOf = (count: number) =>
  Array.from({ length: count }, () => ({ mediaType: "", digest: "", size: 0 }));

describe("what made a layer", () => {
  it("is the step of its stage, the fragment of that, and for what is copied from a builder that one's", () => {
    const origins = layerOrigins(DOCKERFILE, { history: HISTORY, layers: layersOf(5) }, FRAGMENTS);
    expect(origins.map((one) => one && [one.fragment, one.line])).toEqual([
      null,
      ["core@0.1.0", 10],
      ["core@0.1.0", 12],
      ["tool@1.0.0", 15],
      ["app@0.2.0", 16],
    ]);
    expect(origins[1]?.instruction).toBe("RUN |1 X=1 /bin/sh -c apt-get install");
  });

  it("is not guessed where the history is another one, or a base has layers without one", () => {
    const other = HISTORY.map((one) => (one.created_by.startsWith("WORKDIR") ? made("ADD x /") : one));
    const origins = layerOrigins(DOCKERFILE, { history: other, layers: layersOf(6) }, FRAGMENTS);
    expect(origins.map((one) => one?.line ?? null)).toEqual([null, null, null, null, 15, 16]);
    expect(layerOrigins(DOCKERFILE, { history: [], layers: layersOf(2) }, FRAGMENTS)).toEqual([null, null]);
  });

  it("finds who asks for a secret", () => {
    const text =
      "FROM x AS core\nRUN --mount=type=secret,id=a true\nFROM core AS image\nRUN --mount=type=ssh true\n";
    expect(secretsIn(text, INPUTS)).toEqual([
      { kind: "secret", id: "a", asVariable: false, by: ["core@0.1.0"] },
      { kind: "ssh", id: "default", asVariable: false, by: ["plain@0.1.0"] },
    ]);
  });
});

const sbom = (...purls: string[]) => ({ components: purls.map((purl) => ({ purl })) });

describe("drift", () => {
  const before = sbom(
    "pkg:deb/debian/openssl@3.0.14?arch=amd64",
    "pkg:deb/debian/old@1",
    "pkg:pypi/My_Lib@1",
    "no",
  );
  const after = sbom("pkg:deb/debian/openssl@3.0.15?arch=amd64", "pkg:npm/%40a/b@1", "pkg:pypi/My_Lib@2");

  it("is each package with another version, once", () => {
    expect(packageChanges(before, after).map(packageText)).toEqual([
      "old 1 (gone)",
      "openssl 3.0.14 → 3.0.15",
      "@a/b 1 (new)",
      "my-lib 1 → 2",
    ]);
    expect(packageChanges(before, before)).toEqual([]);
    expect(packageChanges(null, { components: "x" })).toEqual([]);
  });

  it("owns what package managers say, and what belongs to that", () => {
    const owners = createOwners(packageChanges(before, after));
    expect(owners.wants("var/lib/dpkg/info/openssl:amd64.list")).toBe(true);
    expect(owners.wants("var/lib/dpkg/info/bash.list")).toBe(false);
    expect(owners.wants("usr/lib/python3/dist-packages/my_lib-2.dist-info/RECORD")).toBe(true);
    owners.take(
      new Map([
        ["var/lib/dpkg/info/openssl:amd64.list", Buffer.from("/.\n/usr\n/lib/libssl.so\n/usr/lib/x.py\n")],
        ["opt/lib/my_lib-2.dist-info/RECORD", Buffer.from('my/a.py,sha256=x,1\n"../bin/a,b",,\n')],
      ]),
    );
    const of = (path: string) => owners.of(path)?.name;
    expect(of("/usr/lib/libssl.so")).toBe("openssl");
    expect(of("/lib/libssl.so")).toBe("openssl");
    expect(of("/usr/lib/__pycache__/x.cpython-311.pyc")).toBe("openssl");
    expect(of("/var/lib/dpkg/info/openssl.md5sums")).toBe("openssl");
    expect(of("/opt/lib/my/.wh.a.py")).toBe("my-lib");
    expect(of("/opt/bin/a,b")).toBe("my-lib");
    expect(of("/opt/lib/my_lib-1.dist-info/METADATA")).toBe("my-lib");
    expect(of("/x/node_modules/@a/b/index.js")).toBe("@a/b");
    expect(of("/x/node_modules/@a/c/index.js")).toBeUndefined();
    expect(of("/usr/lib/other")).toBeUndefined();
  });

  it("reads the database of apk", () => {
    const changed = packageChanges(sbom("pkg:apk/alpine/zlib@1"), sbom("pkg:apk/alpine/zlib@2"));
    const owners = createOwners(changed);
    expect(owners.wants("lib/apk/db/installed")).toBe(true);
    const text = "P:zlib\nV:2\nF:lib\nR:libz.so\n\nP:musl\nF:lib\nR:libc.so\n";
    owners.take(new Map([["lib/apk/db/installed", Buffer.from(text)]]));
    expect([owners.of("/lib/libz.so")?.name, owners.of("/lib/libc.so")?.name]).toEqual(["zlib", undefined]);
  });
});

describe("the outcome", () => {
  const packages = packageChanges(sbom("pkg:deb/debian/x@1"), sbom("pkg:deb/debian/x@2"));
  const kept = [new Map([["var/lib/dpkg/info/x.list", Buffer.from("/usr/bin/x\n")]])];
  const [origin] = layerOrigins("FROM b\nRUN x\n", { history: [made("RUN x")], layers: layersOf(1) }, []);
  const layer = (...paths: string[]): LayerComparison => ({
    before: "a",
    after: "b",
    same: paths.length === 0 ? "same-content" : "different",
    changes: paths.map((path) => ({ path, how: ["content"] })),
    times: 1,
    kept,
  });
  const explain = (one: LayerComparison) =>
    explainLayers([one], [origin ?? null], { owners: createOwners(packages), packages });
  const outcome = (one: LayerComparison, { update = false, same = false, config = [] as string[] } = {}) =>
    outcomeOf(explain(one).layers, { isSameManifest: same, config, update });

  it("is that of the worst difference", () => {
    expect(outcome(layer("/a"), { same: true })).toBe("identical");
    expect(outcome(layer())).toBe("same-content");
    expect(outcome(layer(), { config: ["config.Env"] })).toBe("different");
    expect(outcome(layer("/a"))).toBe("different");
    expect(outcome({ ...layer(), same: "unknown" })).toBe("incomplete");
  });

  it("counts newer packages, and what their manager writes, as an update only where that is asked for", () => {
    const drift = layer("/usr/bin/x", "/var/lib/dpkg/status", "/var/log/dpkg.log", "/etc/ld.so.cache");
    expect(outcome(drift)).toBe("different");
    expect(outcome(drift, { update: true })).toBe("updated");
    expect(outcome(drift, { update: true, config: ["config.Env"] })).toBe("different");
    expect(outcome(layer("/usr/bin/x", "/usr/bin/y"), { update: true })).toBe("different");
    // Without a package that differs, its manager's own files are not explained.
    expect(outcome(layer("/var/lib/dpkg/status"), { update: true })).toBe("different");
    expect(unexplainedBy(explain(layer("/var/log/dpkg.log")).layers)).toEqual([
      { made_by: "the template (line 2)", paths: ["/var/log/dpkg.log"] },
    ]);
  });
});

describe("BuildKit's provenance", () => {
  it("names the layers after each step", () => {
    const layers = { "step0:0": [[{ digest: "a" }]], "step1:0": [[{ digest: "a" }, { digest: "b" }]] };
    const metadata = { "https://mobyproject.org/buildkit@v1#metadata": { layers } };
    const wanted = [new Set(["a"]), new Set(["b"])];
    expect(recordedLayers({ metadata })).toEqual(wanted);
    const later = { buildkit_metadata: { layers } };
    expect(recordedLayers({ predicate: { runDetails: { metadata: later } } })).toEqual(wanted);
    for (const odd of [null, 1, {}, { metadata: { buildkit: { layers: { x: [1, [null]] } } } }])
      expect(recordedLayers(odd)).toEqual([]);
  });
});
