import fc from "fast-check";
import { constants, deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseAudit } from "../../src/sbom/catalogers/cargo.ts";
import { parseGoModules } from "../../src/sbom/catalogers/golang.ts";
import { createProgramReader, programIn } from "../../src/sbom/program-reader.ts";
import { goBuild, programOf } from "../fixtures/sbom/programs.ts";

/** What is kept of a program that comes in pieces of these sizes, again and again. */
function kept(program: Buffer, sizes: readonly number[] = [1 << 16]) {
  const reader = createProgramReader();
  for (let at = 0, turn = 0; at < program.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    reader.take(program.subarray(at, at + size));
    at += size;
  }
  return reader.end();
}

const MODULES = "path\tx\nmod\texample.org/x\tv1.0.0\t\ndep\texample.org/y\tv2.0.0\th1:abc=\n";
const AUDIT = JSON.stringify({ packages: [{ name: "a", version: "1.0.0", source: "local", root: true }] });
/** Bytes that look like anything but what is sought, and are the same each time. */
const noise = (length: number, seed = 1) => {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  return bytes;
};

describe("programs", () => {
  test("build information and audit data are found wherever they are, however the bytes are cut", () => {
    const whole = programOf([noise(9000), goBuild("go1.22.1", MODULES), noise(7777), deflateSync(AUDIT)]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }), (sizes) => {
        const program = programIn(kept(whole, [...sizes, 4096]));
        expect(program).toEqual({ go: { version: "go1.22.1", modules: MODULES }, audit: AUDIT });
      }),
      { numRuns: 50 },
    );
  });

  test("audit data is found at each level of compression, with and without a tree of its own", () => {
    const long = JSON.stringify({
      packages: Array.from({ length: 300 }, (_, at) => ({ name: `crate-${at}`, version: `${at}.0.0` })),
    });
    for (const text of [AUDIT, long])
      for (let level = 0; level <= 9; level += 1)
        for (const strategy of [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY])
          expect(
            programIn(kept(programOf([noise(5000), deflateSync(text, { level, strategy }), noise(99)]))),
          ).toEqual({ audit: text });
  });

  test("what is no program gives nothing, whatever it holds", () => {
    expect(kept(Buffer.concat([Buffer.from("#!/bin/sh\n"), goBuild("go1.22.1", MODULES)]))).toBeNull();
    expect(kept(programOf([noise(50_000)]))).toBeNull();
    expect(kept(Buffer.alloc(0))).toBeNull();
  });

  test("information that lies about its lengths, is cut off, or is not aligned, is passed over", () => {
    const real = goBuild("go1.22.1", MODULES);
    expect(kept(programOf([real.subarray(0, -1)]))).toBeNull();
    expect(kept(programOf([Buffer.alloc(3), real]))).toBeNull();
    const huge = Buffer.from(real);
    huge.fill(0xff, 32 + 1 + "go1.22.1".length, 32 + 1 + "go1.22.1".length + 5);
    expect(kept(programOf([huge]))).toBeNull();
    // The next one counts.
    expect(programIn(kept(programOf([huge, real]))).go?.version).toBe("go1.22.1");
  });

  test("audit data that is damaged, or unpacks to no end, is passed over", () => {
    const packed = deflateSync(AUDIT);
    expect(kept(programOf([packed.subarray(0, packed.length - 8)]))).toBeNull();
    const bomb = deflateSync(`{"packages":[${"0,".repeat(8 << 20)}0]}`);
    expect(kept(programOf([bomb]))).toBeNull();
  });

  test("no bytes make the reader fail", () => {
    const parts = fc.oneof(
      fc.constantFrom(goBuild("go1.1", ""), Buffer.from("\xff Go buildinf:", "latin1"), deflateSync(AUDIT)),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...[0x01, 0x5e, 0x9c, 0xda].map((flags) => Buffer.from([0x78, flags]))),
    );
    fc.assert(fc.property(fc.array(parts), (all) => void kept(programOf(all), [7, 4096])));
  });
});

describe("Go", () => {
  test("a module in the place of another counts in its place; a folder does not", () => {
    const { main, modules } = parseGoModules(
      "path\ta\nmod\ta.org/a\t(devel)\t\ndep\tb.org/b\tv1.0.0\th1:x\n=>\tc.org/c\tv1.1.0\th1:y\ndep\td.org/d\tv1.0.0\n=>\t../d\n",
    );
    expect(main).toEqual({ path: "a.org/a", version: "", sum: "" });
    expect(modules).toEqual([
      { path: "c.org/c", version: "v1.1.0", sum: "h1:y" },
      { path: "d.org/d", version: "v1.0.0", sum: "" },
    ]);
  });

  test("a program that was built without a module is its package", () => {
    expect(parseGoModules("path\tgithub.com/opencontainers/runc\n").main).toEqual({
      path: "github.com/opencontainers/runc",
      version: "",
      sum: "",
    });
    expect(parseGoModules("path\tcmd/go\n").main).toBeNull();
    expect(
      parseGoModules("path\tcommand-line-arguments\nmod\tcommand-line-arguments\t(devel)\t\n").main,
    ).toBeNull();
  });

  test("any text gives an answer", () => {
    const line = fc
      .tuple(fc.constantFrom("mod", "dep", "=>", "build", "path"), fc.array(fc.string()))
      .map(([kind, rest]) => [kind, ...rest].join("\t"));
    fc.assert(fc.property(fc.array(line), (lines) => void parseGoModules(lines.join("\n"))));
    expect(parseGoModules("dep\t../x\tv1\ndep\ta\\b\tv1\ndep\t\tv1").modules).toEqual([]);
  });
});

describe("cargo-auditable", () => {
  test("what only took part in the build is not in the program", () => {
    const packages = [
      { name: "a", version: "1.0.0", source: "crates.io", dependencies: [1, 99, "x", 2] },
      { name: "b", version: "2.0.0", source: "git" },
      { name: "c", version: "3.0.0", kind: "build" },
    ];
    expect(parseAudit(JSON.stringify({ packages }))).toEqual([
      { name: "a", version: "1.0.0", source: "crates.io", needs: [1, 99, 2] },
      { name: "b", version: "2.0.0", source: "git", needs: [] },
      null,
    ]);
  });

  test("any JSON gives an answer", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        parseAudit(text);
        parseAudit(`{"packages": ${text}}`);
        parseAudit(`{"packages": [{"name": "a", "version": "1", "dependencies": ${text}}]}`);
      }),
    );
  });
});
