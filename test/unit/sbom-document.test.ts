import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { ECOSYSTEMS } from "../../src/sbom/catalogers/catalogers.ts";
import { makeSbom, type SbomDeps } from "../../src/sbom/sbom.ts";
import { makeSbomWithSyft } from "../../src/sbom/syft.ts";
import { validateSbom } from "../../src/sbom/validate.ts";
import type { ExecResult } from "../../src/tools/exec.ts";
import { engineWith, noPause, savedImage, type TarEntry } from "../fixtures/sbom/image.ts";

const sha512 = Buffer.alloc(64, 1).toString("base64");

const layers: TarEntry[][] = [
  [
    { name: "usr/lib/os-release", text: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n' },
    { name: "etc/os-release", symlink: "../usr/lib/os-release" },
    {
      name: "var/lib/dpkg/status",
      text: [
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9",
        "Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>\nProvides: libc (= 1)\n",
        "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nSource: tools (9)\nVersion: 1:2.0-1",
        "Maintainer: broken <not an address>\nPre-Depends: libc\nDepends: absent | libc6\n",
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
      ].join("\n"),
    },
    { name: "usr/share/doc/libc6/copyright", text: "see /usr/share/common-licenses/LGPL-2.1" },
    { name: "usr/share/doc/tool", symlink: "libc6" },
    { name: "var/lib/dpkg/status.d/base", text: "Package: base\nVersion: 3\nArchitecture: all\n" },
    { name: "var/lib/dpkg/status.d/base.md5sums", text: "Package: wrong\nVersion: 3\n" },
  ],
  [
    {
      name: "lib/apk/db/installed",
      text: "C:Q1abc=\nP:musl\nV:1.2\nA:x86_64\nL:MIT\np:so:libc.so=1\n\nP:app\nV:1\nD:so:libc.so !x\nL:MIT AND ISC\n\n",
    },
    {
      name: "app/node_modules/@s/a/package.json",
      text: '{"name":"@s/a","version":"1.0.0","license":"MIT","dependencies":{"b":"*","none":"1"}}',
    },
    {
      name: "app/node_modules/b/package.json",
      text: '{"name":"b","version":"2.0.0","license":"(MIT OR ISC)"}',
    },
    { name: "app/node_modules/@s/a/node_modules/b/package.json", text: '{"name":"b","version":"1.0.0"}' },
    { name: "opt/node_modules/b/package.json", text: '{"name":"b","version":"2.0.0"}' },
    { name: "app/node_modules/b/node_modules/bad/package.json", text: "{" },
    {
      name: "app/node_modules/.package-lock.json",
      text: JSON.stringify({
        packages: {
          "node_modules/@s/a": { version: "1.0.0", integrity: `sha512-${sha512}`, dev: true },
          "node_modules/b": { version: "9.9.9", integrity: `sha512-${sha512}` },
        },
      }),
    },
    {
      name: "usr/lib/python3/dist-packages/Foo_Bar-1.0.dist-info/METADATA",
      text: "Name: Foo_Bar\nVersion: 1.0\nLicense: MIT\n",
    },
    {
      name: "usr/lib/python3/dist-packages/egg-2.egg-info/PKG-INFO",
      text: "Name: egg\nVersion: 2\nRequires-Dist: foo-bar>=1\nAuthor: A. Nobody\n",
    },
    { name: "usr/lib/python3/dist-packages/flat-3.egg-info", text: "Name: flat\nVersion: 3\n" },
  ],
];

/** No package of any kind. */
const NONE = Object.fromEntries(ECOSYSTEMS.map((name) => [name, 0]));

const image = { ref: "127.0.0.1:5000/team/demo:1", digest: null, name: "127.0.0.1:5000/team/demo:1" };

function depsOf(docker: SbomDeps["docker"]): SbomDeps {
  return { docker, now: () => new Date("2026-01-02T03:04:05Z"), toolVersion: "0.1.0", clock: () => 0 };
}

describe("makeSbom", () => {
  test("writes the document of a small image", async () => {
    // Not compressed: zlib's output, and with it the digest, may change from one Node to the next.
    const { tar } = await savedImage({ "linux/amd64": layers }, { compress: (bytes) => bytes });
    const sbom = await makeSbom(image, depsOf(engineWith(tar)));
    await expect(sbom.json).toMatchFileSnapshot("../fixtures/sbom/small-sbom.golden");
    expect(sbom.counts).toEqual({ ...NONE, deb: 3, apk: 2, npm: 3, pypi: 3 });
    expect(sbom.components).toBe(12);
    expect(sbom.warnings).toEqual([
      expect.stringContaining("/app/node_modules/b/node_modules/bad/package.json"),
    ]);
    expect(await validateSbom(sbom.json, noPause)).toEqual([]);
  });

  test("gives the same bytes for the same image, whatever the order in its layers", async () => {
    const docker = engineWith((await savedImage({ "linux/amd64": layers })).tar);
    const turned = layers.map((layer) => layer.toReversed());
    const other = engineWith((await savedImage({ "linux/amd64": turned })).tar);
    const named = { ...image, digest: `sha256:${"a".repeat(64)}` };
    const write = async (engine: SbomDeps["docker"], extra: Partial<SbomDeps> = {}) =>
      (await makeSbom(named, { ...depsOf(engine), ...extra })).json;
    expect(await write(docker)).toBe(await write(docker));
    const anonymous = (json: string) => json.replaceAll(/(?:sha256:)?[0-9a-f]{64}/g, "a digest");
    const extra = { serialNumber: null };
    expect(anonymous(await write(docker, extra))).toBe(anonymous(await write(other, extra)));
    expect(await write(docker, extra)).not.toContain("serialNumber");
    expect(await write(docker, { now: () => null })).not.toContain("timestamp");
    const serialNumber = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79";
    expect(await write(docker, { serialNumber })).toContain(serialNumber);
  });

  test("takes the digest that it is given, and warns where the engine has another", async () => {
    const { tar, digests } = await savedImage({ "linux/amd64": layers });
    const docker = engineWith(tar);
    const digest = digests["linux/amd64"] ?? "";
    expect((await makeSbom({ ...image, digest }, depsOf(docker))).warnings).toHaveLength(1);
    const other = await makeSbom({ ...image, digest: `sha256:${"b".repeat(64)}` }, depsOf(docker));
    expect(other.warnings[0]).toContain(`as ${digest}, not as sha256:bbb`);
  });

  test("reads once more for a hard link to a file that did not seem to matter", async () => {
    const stored: TarEntry[] = [
      { name: "a-store/0123", text: '{"name":"linked","version":"4.0.0"}' },
      { name: "app/node_modules/linked/package.json", hardlink: "a-store/0123" },
      { name: "app/node_modules/lost/package.json", hardlink: "a-store/4567" },
    ];
    const { tar } = await savedImage({ "linux/amd64": [stored] });
    const sbom = await makeSbom(image, depsOf(engineWith(tar)));
    expect(sbom.json).toContain("pkg:npm/linked@4.0.0");
    expect(sbom.warnings).toEqual([expect.stringContaining("/a-store/4567")]);
  });

  test("is valid, and warns, for an image without any package", async () => {
    const { tar } = await savedImage({ "linux/amd64": [[{ name: "hello", text: "x" }]] });
    const sbom = await makeSbom(image, depsOf(engineWith(tar)));
    expect(sbom).toMatchObject({ components: 0, warnings: ["found no packages in the image"] });
  });

  test("is valid for packages with hostile names, versions, licences and maintainers", async () => {
    const odd = "\u0001\u202e<script>${x}%{y}'\"\\";
    const status = `Package: ${odd}\nVersion: ${odd}\nArchitecture: ${odd}\nMaintainer: ${odd} <${odd}@x>\n`;
    const json = JSON.stringify({
      name: "__proto__",
      version: odd.trim(),
      license: odd,
      author: { name: odd },
    });
    const { tar } = await savedImage({
      "linux/amd64": [
        [
          { name: "var/lib/dpkg/status", text: status },
          { name: `app/node_modules/${encodeURIComponent(odd)}/package.json`, text: json },
          { name: "etc/os-release", text: `ID="${odd}"\n` },
        ],
      ],
    });
    const sbom = await makeSbom(image, depsOf(engineWith(tar)));
    expect(sbom.counts).toMatchObject({ deb: 1, npm: 1 });
  });

  test("gives the engine's own error where the stream breaks off", async () => {
    const { tar } = await savedImage({ "linux/amd64": layers });
    const broken = new FactoryError("ENGINE_FAILED", "docker image save: disk full");
    const docker: SbomDeps["docker"] = {
      ...engineWith(tar),
      saveImage: () =>
        Promise.resolve({ stdout: Readable.from([tar.subarray(0, 3000)]), done: Promise.reject(broken) }),
    };
    await expect(makeSbom(image, depsOf(docker))).rejects.toBe(broken);
  });

  test("ends the engine's stream, and says so, when it is interrupted", async () => {
    const { tar } = await savedImage({ "linux/amd64": layers });
    const controller = new AbortController();
    const docker: SbomDeps["docker"] = {
      ...engineWith(tar),
      saveImage: (_ref, options) => {
        const stdout = new Readable({ read: () => undefined });
        stdout.push(tar.subarray(0, 3000));
        options?.signal?.addEventListener("abort", () => stdout.destroy());
        setImmediate(() => controller.abort());
        return Promise.resolve({ stdout, done: Promise.resolve() });
      },
    };
    const making = makeSbom(image, { ...depsOf(docker), signal: controller.signal });
    await expect(making).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

describe("validateSbom", () => {
  test("names what is wrong, and survives what is no JSON", async () => {
    expect(await validateSbom("{", noPause)).toEqual([expect.stringMatching(/^not JSON/)]);
    const problems = await validateSbom(
      '{"bomFormat": "CycloneDX", "specVersion": "1.6", "extra": 1}',
      noPause,
    );
    expect(problems.join()).toContain("must NOT have additional properties");
  });
});

describe("makeSbomWithSyft", () => {
  const call = async (result: Partial<ExecResult>, platform?: string) => {
    const calls: (readonly string[])[] = [];
    const exec = (file: string, argv: readonly string[]) => {
      calls.push([file, ...argv]);
      return Promise.resolve({
        exitCode: 0,
        stdout: "",
        stderr: "",
        timedOut: false,
        aborted: false,
        ...result,
      });
    };
    return { sbom: await makeSbomWithSyft({ ref: "demo:1", platform }, { exec, clock: () => 0 }), calls };
  };
  const document = (component: object) =>
    JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components: [component] });

  test("asks for CycloneDX 1.6 of the engine's image, and counts what it lists", async () => {
    const stdout = document({ type: "library", name: "a", purl: "pkg:deb/debian/a@1" });
    const { sbom, calls } = await call({ stdout }, "linux/arm64");
    const argv = [
      "scan",
      "docker:demo:1",
      "-o",
      "cyclonedx-json@1.6",
      "--quiet",
      "--platform",
      "linux/arm64",
    ];
    expect(calls).toEqual([["syft", ...argv]]);
    expect(sbom).toEqual({
      json: stdout,
      components: 1,
      counts: { ...NONE, deb: 1 },
      warnings: [],
    });
  });

  test("keeps a document that fails validation, with a warning", async () => {
    const { sbom } = await call({ stdout: document({ type: "library", name: "a", invented: true }) });
    expect(sbom.warnings[0]).toMatch(/^syft's SBOM fails strict validation/);
  });

  test.each([
    { exitCode: 1, stderr: "could not find image" },
    { stdout: "text" },
    { stdout: "{}" },
    { stdout: "null" },
  ])("%j is TOOL_FAILED", async (result) => {
    await expect(call(result)).rejects.toMatchObject({ code: "TOOL_FAILED" });
  });
});
