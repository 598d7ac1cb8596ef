// Compares the SBOMs of five images with those that syft writes, and explains every difference.
//
//   node scripts/against-syft.mjs [-o REPORT.md] [NAME…]
//
// The images are built from what Debian offers, and from what is on this machine: `go` and `cargo auditable` if they are
// there. Needs an engine, `npm run build`, and syft (`go install github.com/anchore/syft/cmd/syft@latest`).
//
// Exit codes: 0 every difference is explained · 1 one is not · 2 usage · 3 no syft, no engine
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const apt = (...names) =>
  `RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends ${names.join(" ")} && rm -rf /var/lib/apt/lists/*`;
const BASE = "FROM debian:bookworm-slim";

/** Dockerfiles, by the name of the image. `files/` has what was made on this machine. */
const IMAGES = {
  "node-python": [BASE, apt("nodejs", "npm", "python3-flask", "python3-pip", "busybox")],
  polyglot: [
    BASE,
    apt("ruby", "ruby-sinatra", "ruby-nokogiri", "libguava-java", "libmaven3-core-java", "composer", "runc"),
    "COPY files /",
  ],
  conda: [
    BASE,
    apt("python3-venv", "r-cran-mass"),
    "RUN python3 -m venv --system-site-packages /opt/conda",
    "COPY conda /opt/conda",
  ],
  distroless: [
    `${BASE} AS full`,
    "RUN mkdir -p /out/var/lib/dpkg/status.d && for p in base-files libc6 libssl3 tzdata netbase; do dpkg-query -s $p > /out/var/lib/dpkg/status.d/$p 2>/dev/null || rm -f /out/var/lib/dpkg/status.d/$p; done && mkdir -p /out/etc && cp /etc/os-release /out/etc/",
    "FROM scratch",
    "COPY --from=full /out /",
    "COPY files /",
  ],
  whiteouts: [
    BASE,
    apt("nodejs", "node-semver", "python3-six", "ruby-rack"),
    "COPY files /",
    "RUN apt-get purge -y -qq python3-six && rm -rf /usr/share/nodejs/semver /opt/bin && mkdir /opt/bin",
  ],
};

const run = (file, args, options = {}) =>
  execFileSync(file, args, {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });
const has = (file, ...args) => spawnSync(file, args, { stdio: "ignore" }).status === 0;

/** What is made on this machine: programs of Go and Rust where their tools are, conda's records, rpm's database. */
function prepare(folder) {
  const bin = join(folder, "files/opt/bin");
  const meta = join(folder, "conda/conda-meta");
  const rpm = join(folder, "files/usr/lib/sysimage/rpm");
  for (const one of [bin, meta, rpm]) mkdirSync(one, { recursive: true });
  const packed = readFileSync(join(root, "test/fixtures/sbom/rpm/rpmdb.sqlite.gz"));
  writeFileSync(join(rpm, "rpmdb.sqlite"), gunzipSync(packed));
  for (const [name, version] of [
    ["numpy", "1.26.4"],
    ["openssl", "3.2.1"],
  ]) {
    const record = {
      name,
      version,
      build: "h0_0",
      channel: "conda-forge",
      subdir: "linux-64",
      license: "MIT",
    };
    writeFileSync(join(meta, `${name}-${version}-h0_0.json`), JSON.stringify({ ...record, depends: [] }));
  }
  if (has("go", "version")) {
    const source = join(folder, "go");
    mkdirSync(source);
    writeFileSync(join(source, "go.mod"), "module example.org/tool\n\ngo 1.21\n");
    writeFileSync(
      join(source, "main.go"),
      'package main\n\nimport "github.com/google/uuid"\n\nfunc main() { println(uuid.NewString()) }\n',
    );
    run("go", ["mod", "tidy"], { cwd: source });
    run("go", ["build", "-o", join(bin, "go-tool"), "."], { cwd: source });
  }
  if (has("cargo", "auditable", "--version")) {
    const source = join(folder, "rust");
    mkdirSync(join(source, "src"), { recursive: true });
    writeFileSync(
      join(source, "Cargo.toml"),
      '[package]\nname = "tool"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nserde_json = "1"\n',
    );
    writeFileSync(
      join(source, "src/main.rs"),
      'fn main() { println!("{}", serde_json::json!({"a": 1})); }\n',
    );
    run("cargo", ["auditable", "build", "--release"], { cwd: source });
    copyFileSync(join(source, "target/release/tool"), join(bin, "rust-tool"));
  }
}

/** Packages by their package URL without qualifiers. */
function packagesIn(text) {
  const { components = [] } = JSON.parse(text);
  const found = components.filter(({ purl, type }) => purl && type !== "file");
  return new Map(found.map((one) => [decodeURIComponent(one.purl.split("?")[0]), one]));
}

const pathOf = (one) =>
  (one.properties ?? []).find(({ name }) => /^(?:factory:path|syft:location:0:path)$/.test(name))?.value ??
  "";

/** Why only one of the two has a package; null if nobody knows. `other`: what the other one has. */
function explain(purl, one, other) {
  const at = purl.lastIndexOf("@");
  const named = (pattern) => [...other.keys()].some((key) => pattern.test(key));
  const escaped = one.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (purl.startsWith("pkg:npm/") && at < "pkg:npm/x".length)
    return "a package.json without a version is a setting for a folder, and no package";
  if (purl.startsWith("pkg:npm/"))
    return "it lies inside another package, which does not declare it as a workspace";
  if (purl.startsWith("pkg:maven/") && named(new RegExp(`^pkg:generic/${escaped}@`)))
    return "the archive names no group: here it is `pkg:generic`, in syft the group is made up";
  if (purl.startsWith("pkg:generic/") && named(new RegExp(`/${escaped}(?:@|$)`)))
    return "the archive names no group: here it is `pkg:generic`, in syft the group is made up";
  if (purl.startsWith("pkg:maven/") && !/@/.test(purl.slice(10)))
    return "the archive says no version, and names no package";
  if (purl.startsWith("pkg:maven/") && [...other.values()].some((its) => pathOf(its).startsWith(pathOf(one))))
    return "the archive is listed as what its pom.properties or its manifest says, not as its file is called";
  if (purl.startsWith("pkg:generic/")) return "a program that syft knows by a version in its bytes";
  return null;
}

const argv = process.argv.slice(2);
const to = argv[0] === "-o" ? argv.splice(0, 2)[1] : undefined;
const names = argv.length > 0 ? argv : Object.keys(IMAGES);
const unknown = names.filter((name) => !Object.hasOwn(IMAGES, name));
if (unknown.length > 0 || to === "") {
  console.error(`no image is named ${unknown.join(", ")}; there are: ${Object.keys(IMAGES).join(", ")}`);
  process.exit(2);
}
if (!has("syft", "version") || !has("docker", "info")) {
  console.error("needs syft on the PATH, and an engine");
  process.exit(3);
}

const folder = mkdtempSync(join(tmpdir(), "against-syft-"));
const lines = ["# Against syft", ""];
let unexplained = 0;
try {
  prepare(folder);
  for (const name of names) {
    const image = `factory-against-syft/${name}:${process.pid}`;
    writeFileSync(join(folder, "Dockerfile"), `${IMAGES[name].join("\n")}\n`);
    run("docker", ["build", "-q", "-t", image, folder]);
    try {
      const ours = join(folder, `${name}.json`);
      const timed = (work) => {
        const start = performance.now();
        return { result: work(), ms: performance.now() - start };
      };
      const factory = timed(() =>
        run(process.execPath, [join(root, "dist/cli.js"), "sbom", image, "-o", ours, "--quiet"]),
      );
      const syft = timed(() =>
        run("syft", ["scan", `docker:${image}`, "-o", "cyclonedx-json@1.6", "--quiet"], {
          env: { ...process.env, SYFT_CHECK_FOR_APP_UPDATE: "false" },
        }),
      );
      const [own, its] = [packagesIn(readFileSync(ours, "utf8")), packagesIn(syft.result)];
      const both = [...its.keys()].filter((purl) => own.has(purl)).length;
      lines.push(
        `## ${name}`,
        "",
        `Factory ${own.size}, syft ${its.size}, both ${both}: ${((100 * both) / its.size).toFixed(1)} % of what syft finds, in ${(factory.ms / syft.ms).toFixed(2)} times its time.`,
        "",
      );
      const rows = [
        ...[...its].filter(([purl]) => !own.has(purl)).map(([purl, one]) => ["syft", purl, one, own]),
        ...[...own].filter(([purl]) => !its.has(purl)).map(([purl, one]) => ["Factory", purl, one, its]),
      ].map(([only, purl, one, other]) => {
        const why = explain(purl, one, other);
        if (why === null) unexplained += 1;
        return `| ${only} | \`${purl}\` | ${why ?? "**not explained**"} |`;
      });
      if (rows.length > 0) lines.push("| only | package | why |", "|---|---|---|", ...rows.sort(), "");
    } finally {
      spawnSync("docker", ["image", "rm", "-f", image], { stdio: "ignore" });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const report = `${lines.join("\n").trimEnd()}\n`;
if (to === undefined) process.stdout.write(report);
else writeFileSync(to, report);
process.exitCode = unexplained > 0 ? 1 : 0;
