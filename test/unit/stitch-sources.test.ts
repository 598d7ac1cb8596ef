import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { findingsIn } from "../../src/catalog/document.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { listed } from "../../src/files/listing.ts";
import { sha256 } from "../../src/model/digest.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { expand } from "../../src/plan/expand.ts";
import { fragmentFindings, templateFindings } from "../../src/stitch/every-version.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { errorFrom, type Files, findingsFrom, makeWorkspace, SMALL, writeFiles } from "./workspace.ts";

const APP = "fragments/app/0.1.0";
const HBS = `${APP}/Dockerfile.hbs`;
const MANIFEST = "manifests/demo.yaml";

/** A workspace whose app copies the source `app`, with what the manifest says of it. */
function withSource(declared: string, files: Files = {}, body = 'COPY {{source "app"}} /app\n'): string {
  return makeWorkspace({
    [MANIFEST]: `${SMALL[MANIFEST]}${declared === "" ? "" : `sources: ${declared}\n`}`,
    [HBS]: body,
    "services/web/main.js": "main\n",
    "services/web/lib/a.js": "a\n",
    ...files,
  });
}

const stitched = (root: string) => stitch(openCatalog(root), "demo");
const WEB = "{app: {path: services/web}}";

/** The paths of all sources, with modes. */
const pathsOf = (root: string) =>
  stitched(root).contents.flatMap((source) =>
    [...listed(source.path, source)].map(({ path, mode }) => `${mode} ${path}`),
  );
const errorOf = (root: string) => errorFrom(() => stitched(root));
const codesIn = (root: string) => findingsFrom(() => stitched(root)).map(({ code }) => code);

describe("a source", () => {
  it("is copied by its path, and let in by the Dockerfile.dockerignore", () => {
    const { dockerfile, dockerignore, copied } = stitched(withSource(WEB));
    expect(dockerfile).toContain("\nCOPY services/web /app\n");
    expect(dockerignore).toBe("*\n!services/web\nservices/web/**/.git\n");
    expect(copied).toEqual(["services/web"]);
  });

  it("may be large: its ignore rules say about once a second how far they are", () => {
    const files = Array.from({ length: 300 }, (_, at) => [`services/web/f${at}`, ""]);
    const said: string[] = [];
    const root = withSource(WEB, Object.fromEntries(files) as Record<string, string>);
    const made = stitch(openCatalog(root, { onProgress: (text) => void said.push(text) }), "demo");
    let time = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (time += 2000));
    try {
      expect(made.dockerignore).toBe("*\n!services/web\nservices/web/**/.git\n");
    } finally {
      clock.mockRestore();
    }
    expect(said).toEqual(["comparing the ignore rules of services/web: 256 entries"]);
  });

  it("may be a single file, a part of one, or the workspace itself", () => {
    expect(pathsOf(withSource("{app: {path: services/web/main.js}}"))).toEqual(["0644 services/web/main.js"]);
    const part = withSource(WEB, {}, 'COPY {{source "app"}}/lib/*.js /app/\n');
    expect(stitched(part).dockerfile).toContain("COPY services/web/lib/*.js /app/\n");
    const whole = withSource("{app: {path: .}}", {
      "records/demo/x.json": "{}",
      ".factory/x": "",
      "factory.local.yaml": "schema_version: 1\n",
      ".git/HEAD": "",
      "services/web/.git": "gitdir: x",
      "services/web/records/kept": "",
    });
    const { dockerfile, dockerignore } = stitched(whole);
    expect(dockerfile).toContain("COPY . /app\n");
    expect(dockerignore).toBe("*\n!*\n**/.git\n.factory\nrecords\nfactory.local.yaml\n");
    expect(pathsOf(whole)).toContain("0644 services/web/records/kept");
    expect(pathsOf(whole).filter((path) => /\.git|factory\/|records\/demo|local\.yaml/.test(path))).toEqual(
      [],
    );
  });

  it("has git's modes, folders that are empty, and links as links", () => {
    const root = withSource(WEB);
    mkdirSync(join(root, "services/web/empty"), { mode: 0o700 });
    chmodSync(join(root, "services/web/main.js"), 0o700);
    chmodSync(join(root, "services/web/lib/a.js"), 0o600);
    symlinkSync("lib/a.js", join(root, "services/web/link"));
    symlinkSync("../shared", join(root, "services/web/gone"));
    expect(pathsOf(root)).toEqual([
      "0755 services/web/",
      "0755 services/web/empty/",
      "120000 services/web/gone",
      "0755 services/web/lib/",
      "0644 services/web/lib/a.js",
      "120000 services/web/link",
      "0755 services/web/main.js",
    ]);
    const [source] = stitched(root).contents;
    const link = source && [...listed(source.path, source)].find(({ path }) => path.endsWith("link"));
    expect(link?.sha256).toBe(sha256("lib/a.js"));
  });

  it("leaves out what its patterns and, where asked, .gitignore files say, the last that matches", () => {
    const files = {
      ".gitignore": "dist/\n*.log\n/services/web/only-here\r\n",
      "services/.gitignore": "!keep.log\n",
      "services/web/.gitignore": "lib/*.tmp\n",
      "services/web/lib/.gitignore": "# nothing\n!b.tmp\n",
      "services/web/dist/x": "",
      "services/web/lib/dist": "a file",
      "services/web/lib/a.tmp": "",
      "services/web/lib/b.tmp": "",
      "services/web/keep.log": "",
      "services/web/a.log": "",
      "services/web/only-here": "",
      "services/web/node_modules/x/y": "",
    };
    const names = (declared: string) =>
      pathsOf(withSource(declared, files)).map((line) => line.replace(/^\d+ services\/web\//, ""));
    expect(
      names('{app: {path: services/web, from_gitignore: true, ignore: [node_modules, "!a.log"]}}'),
    ).toEqual([
      "",
      ".gitignore",
      "a.log",
      "keep.log",
      "lib/",
      "lib/.gitignore",
      "lib/a.js",
      "lib/b.tmp",
      "lib/dist",
      "main.js",
    ]);
    expect(names("{app: {path: services/web, ignore: [node_modules]}}")).toContain("dist/x");
  });

  it("may be declared by the fragment, by the manifest, or by both, field by field", () => {
    const contract = (sources: string) => `${SMALL[`${APP}/fragment.yaml`]}sources: ${sources}\n`;
    const declared = (manifest: string, fragment: string) =>
      withSource(manifest, { [`${APP}/fragment.yaml`]: contract(fragment), "services/api/x": "x" });
    expect(pathsOf(declared("", WEB))).toHaveLength(4);
    expect(pathsOf(declared("{app: {path: services/api}}", "{app: {}}"))).toHaveLength(2);
    expect(pathsOf(declared("{app: {path: services/api}}", WEB))).toHaveLength(2);
    expect(pathsOf(declared("{app: {ignore: [lib]}}", WEB))).toHaveLength(2);
    expect(errorOf(declared("", "{app: {}}"))).toMatchObject({
      code: "SOURCE_INVALID",
      message: "nobody says where the source `app` of app@0.1.0 is",
      where: { file: MANIFEST },
    });
  });

  it.each([
    ["one that nobody declares", "", 'COPY {{source "app"}} /app\n', "SOURCE_UNDECLARED", HBS, 1],
    [
      "a name that is nearly one",
      "{ap: {path: services/web}}",
      'COPY {{source "app"}} /app\n',
      "SOURCE_UNDECLARED",
      HBS,
      1,
    ],
    ["one that no fragment uses", WEB, "RUN true\n", "SOURCE_UNDECLARED", MANIFEST, 11],
    ["no such path", "{app: {path: services/wob}}", undefined, "FILE_MISSING", MANIFEST, 11],
    ["a path outside", "{app: {path: ../x}}", undefined, "FILE_OUTSIDE", MANIFEST, 11],
    ["an absolute path", "{app: {path: /etc}}", undefined, "FILE_OUTSIDE", MANIFEST, 11],
    ["an odd path", "{app: {path: 'services/[x]'}}", undefined, "SOURCE_INVALID", MANIFEST, 11],
    ["Factory's own folder", "{app: {path: records}}", undefined, "SOURCE_INVALID", MANIFEST, 11],
    ["nothing in it", "{app: {path: services/none}}", undefined, "SOURCE_INVALID", MANIFEST, 11],
    [
      "nothing left of it",
      '{app: {path: services/web, ignore: ["*"]}}',
      undefined,
      "SOURCE_INVALID",
      MANIFEST,
      11,
    ],
    [
      "left out by a .gitignore",
      "{app: {path: build/out, from_gitignore: true}}",
      undefined,
      "SOURCE_INVALID",
      MANIFEST,
      11,
    ],
  ])("is a finding with %s", (_, declared, body, code, file, line) => {
    const root = withSource(
      declared,
      { ".gitignore": "build\n", "build/out/x": "", "services/[x]/y": "", "records/x": "" },
      body,
    );
    mkdirSync(join(root, "services/none"));
    const [found, ...more] = findingsFrom(() => stitched(root)).filter(
      ({ where }) => where?.file === file || body === undefined,
    );
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code, where: { file, line }, fix: expect.stringMatching(/./) as string });
  });

  it("is a finding where two overlap, but not where two fragments copy the same", () => {
    const both = (declared: string) =>
      withSource(declared, { "fragments/core/0.1.1/Dockerfile.hbs": 'COPY {{source "core"}} /core\n' });
    expect(errorOf(both("{app: {path: services/web}, core: {path: services}}"))).toMatchObject({
      code: "SOURCE_INVALID",
      message: "two sources overlap: `services` and `services/web`",
    });
    expect(codesIn(both("{app: {path: services/web}, core: {path: services/web, ignore: [lib]}}"))).toEqual([
      "SOURCE_INVALID",
    ]);
    expect(stitched(both("{app: {path: services/web}, core: {path: ./services/web/}}")).sources).toHaveLength(
      1,
    );
    expect(
      stitched(both("{app: {path: services/web/lib}, core: {path: services/web/main.js}}")).sources,
    ).toHaveLength(2);
  });

  it("may lie behind links of the workspace, as in npm workspaces and submodules", () => {
    const root = withSource("{app: {path: node_modules/@team/web}}");
    mkdirSync(join(root, "node_modules/@team"), { recursive: true });
    symlinkSync("../../services/web", join(root, "node_modules/@team/web"));
    expect(stitched(root).dockerfile).toContain("COPY services/web /app\n");
    expect(stitched(root).recipe_key).toBe(stitched(withSource(WEB)).recipe_key);
  });

  it.each([
    ["leads out of the workspace", "../../../x", "FILE_OUTSIDE"],
    ["is absolute", "/etc/passwd", "FILE_OUTSIDE"],
    ["is in a circle", "circle", "FILE_UNREADABLE"],
  ])("may not have a link that %s, unless it is left out", (_, target, code) => {
    const link = (declared: string) => {
      const root = withSource(declared);
      symlinkSync(target, join(root, "services/web/circle"));
      return root;
    };
    expect(errorOf(link(WEB))).toMatchObject({ code, where: { file: MANIFEST } });
    expect(pathsOf(link("{app: {path: services/web, ignore: [circle]}}"))).toHaveLength(4);
  });

  it.each(["fifo", "latin1"])("may not have a %s, unless it is left out", (kind) => {
    const odd = (declared: string) => {
      const root = withSource(declared);
      const folder = Buffer.from(join(root, "services/web/"));
      if (kind === "fifo") execFileSync("mkfifo", [join(root, "services/web/odd")]);
      else writeFileSync(Buffer.concat([folder, Buffer.from("odd\xe9", "latin1")]), "");
      return root;
    };
    expect(errorOf(odd(WEB))).toMatchObject({ code: "FILE_UNREADABLE", where: { file: MANIFEST } });
    expect(pathsOf(odd('{app: {path: services/web, ignore: ["odd*"]}}'))).toHaveLength(4);
  });
});

describe("keys of sources", () => {
  const keyOf = (root: string) => stitched(root).recipe_key;

  it("do not depend on where the workspace is, on times or on an umask", () => {
    const before = process.umask(0o077);
    const first = withSource(WEB);
    process.umask(0o000);
    const second = withSource(WEB);
    process.umask(before);
    expect(keyOf(second)).toBe(keyOf(first));
  });

  it.each<[string, (web: string) => void]>([
    ["contents", (web) => writeFileSync(join(web, "main.js"), "Main\n")],
    ["a mode", (web) => chmodSync(join(web, "main.js"), 0o755)],
    ["a name", (web) => execFileSync("mv", [join(web, "main.js"), join(web, "main.ts")])],
    ["a file more", (web) => writeFileSync(join(web, "more"), "")],
    ["a folder more", (web) => mkdirSync(join(web, "more"))],
    ["a file less", (web) => rmSync(join(web, "lib/a.js"))],
    ["where a link leads", (web) => [rmSync(join(web, "link")), symlinkSync("lib/b.js", join(web, "link"))]],
    [
      "a link that becomes the file it led to",
      (web) => [rmSync(join(web, "link")), writeFileSync(join(web, "link"), "lib/a.js")],
    ],
  ])("depend on %s", (_, change) => {
    const root = withSource(WEB);
    symlinkSync("lib/a.js", join(root, "services/web/link"));
    const before = keyOf(root);
    change(join(root, "services/web"));
    expect(keyOf(root)).not.toBe(before);
  });

  it("do not depend on what is left out, and the ignore file depends on it only where it has to", () => {
    const declared = "{app: {path: services/web, ignore: [node_modules, /dist/]}}";
    const [plain, full] = [{} as Files, { "services/web/node_modules/x": "", "services/web/dist/y": "" }].map(
      (files) => stitched(withSource(declared, files)),
    );
    expect(full?.recipe_key).toBe(plain?.recipe_key);
    expect(full?.dockerignore).toBe(plain?.dockerignore);
  });

  it("follow from the inputs, which name each source by one hash", () => {
    const catalog = openCatalog(withSource(WEB));
    const [planned] = expand(catalog, { manifestId: "demo" }, { today: "2026-01-01" }).cells;
    if (!planned) throw new Error("there is no cell");
    const { inputs, keys } = planned;
    expect(inputs.sources).toEqual([
      { path: "services/web", entries: 4, bytes: 7, sha256: expect.stringMatching(/^sha256:/) as string },
    ]);
    expect(keysOf(inputs)).toMatchObject({ recipe_key: keys.recipe_key, build_key: keys.build_key });
    const moved = { ...inputs, sources: inputs.sources?.map((one) => ({ ...one, sha256: sha256("") })) };
    expect(keysOf(moved).recipe_key).not.toBe(keys.recipe_key);
  });
});

describe("a bare copy", () => {
  const check = (body: string, declared = "") => {
    const catalog = openCatalog(withSource(declared, {}, body));
    return checkWorkspace(catalog, {
      manifest: (id) => findingsIn(() => stitch(catalog, id)),
      fragment: (entry) => fragmentFindings(catalog, entry),
      template: templateFindings,
    }).findings;
  };

  it.each([
    ["COPY services/web /app", 'sources: {web: {path: services/web}}`, and write {{source "web"}}'],
    ["COPY ./services/web/ /app", "sources: {web: {path: services/web}}"],
    ["COPY --chown=1:1 main.js /app/", "sources: {main_js: {path: main.js}}"],
    ["COPY . /app", "sources: {app: {path: .}}"],
    ["ADD server.py /app/", 'write {{file "server.py"}}'],
    [`COPY ${APP}/server.py /app/`, 'write {{file "server.py"}}'],
    ['COPY {{file "data"}} other /app/', "path: other"],
    ['COPY ["a b", "/app/"]', "path: …"],
    ["RUN --mount=type=bind,source=services,target=/s true", "path: services"],
    ["RUN --mount=target=/s,src=services true", "path: services"],
    ["ONBUILD COPY services /app", "path: services"],
    ["COPY $X /app", "path: …"],
    ["COPY services/*.js /app/", "path: …"],
  ])("is a finding of validate that says what to write: %s", (line, fix) => {
    expect(check(`${line}\n`)).toMatchObject([
      { code: "COPY_UNDECLARED", where: { file: HBS }, fix: expect.stringContaining(fix) as string },
    ]);
  });

  it.each([
    'COPY {{file "data"}}/*.txt /app/',
    "COPY --from=core /etc/passwd /x",
    "COPY <<EOF /x\ny\nEOF",
    "ADD --checksum=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa https://x.example/y /x",
    "RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t true",
    "RUN --mount=type=bind,target=/c --mount=type=bind,source=.,target=/d true",
    "RUN --mount=type=bind,from=core,source=/etc,target=/c true",
    'COPY ["{{file "data"}}", "/app/"]',
    'ARG X=a\nCOPY fragments/app/0.1.0/da$X /y\n# {{file "data"}}\nCOPY {{file "data"}} /z',
    "RUN echo COPY x /y",
  ])("is not one: %s", (line) => {
    expect(check(`${line}\n`)).toEqual([]);
  });

  it("is a finding in a template too, and of a source in a fragment that nobody declares", () => {
    const root = makeWorkspace({
      "templates/plain/0.1.0/Dockerfile.hbs":
        `COPY x /x\n${SMALL["templates/plain/0.1.0/Dockerfile.hbs"]}`.replace(
          /^(COPY.*\n)(FROM.*\n)/,
          "$2$1",
        ),
    });
    expect(codesIn(root)).toEqual(["COPY_UNDECLARED"]);
    const unused = makeWorkspace({
      "fragments/extra/0.1.0/Dockerfile.hbs": 'COPY {{source "nothing"}} /x\n',
    });
    const catalog = openCatalog(unused);
    expect(fragmentFindings(catalog, catalog.fragment("extra", "0.1.0"))).toMatchObject([
      { code: "SOURCE_UNDECLARED", where: { file: "fragments/extra/0.1.0/Dockerfile.hbs", line: 1 } },
    ]);
  });
});

describe("the cache of hashes", () => {
  /** A source that is large enough for a cache. */
  const large = () => {
    const root = withSource(WEB);
    const file = join(root, "services/web/large");
    writeFileSync(file, Buffer.alloc(9 << 20, "a"));
    // Older than any clock is coarse.
    execFileSync("touch", ["-d", "2001-01-01", file]);
    return { root, file };
  };
  const cacheOf = (root: string) => {
    const names = execFileSync("ls", [join(root, ".factory/hashes")], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(names).toHaveLength(1);
    return join(root, ".factory/hashes", names[0] ?? "");
  };

  it("changes no key, whether it is there, gone, damaged or of another form", () => {
    const { root } = large();
    const key = stitched(root).recipe_key;
    const cache = cacheOf(root);
    const text = readFileSync(cache, "utf8");
    for (const damaged of [
      text,
      "",
      "\0",
      text.slice(0, -9),
      text.replace(/[a-f0-9]{64}/, "0".repeat(64)),
      "x\n",
    ]) {
      writeFileSync(cache, damaged);
      expect(stitched(root).recipe_key).toBe(key);
    }
    rmSync(dirname(cache), { recursive: true });
    expect(stitched(root).recipe_key).toBe(key);
  });

  it("does not trust a file that is as new as itself, however its mtime is set", () => {
    const { root, file } = large();
    const before = stitched(root).recipe_key;
    // The same size and mtime: only the ctime, which is later than the cache allows, tells.
    writeFileSync(file, Buffer.alloc(9 << 20, "b"));
    execFileSync("touch", ["-d", "2001-01-01", file]);
    expect(stitched(root).recipe_key).not.toBe(before);
  });

  it("is not made for a small source, nor where it cannot be written", () => {
    const root = withSource(WEB);
    stitched(root);
    expect(existsSync(join(root, ".factory"))).toBe(false);
    const full = large();
    writeFiles(full.root, { ".factory/hashes": "a file" });
    expect(stitched(full.root).recipe_key).toMatch(/^sha256:/);
  });
});
