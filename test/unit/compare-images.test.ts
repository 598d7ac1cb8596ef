import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareConfigs, compareLayers } from "../../src/compare/compare-images.ts";
import type { StoredImage } from "../../src/compare/stored-image.ts";
import { imageOf, type Made, tarOf } from "./compare-made.ts";

const options = { signal: new AbortController().signal, onBytes: () => undefined };
const compare = (one: StoredImage, two: StoredImage) => compareLayers(one, two, options);

/** The comparison of two images of one layer each. */
async function compared(before: readonly Made[], after: readonly Made[]) {
  const [layer] = await compare(imageOf([await tarOf(before)]), imageOf([await tarOf(after)]));
  if (!layer) throw new Error("no layer");
  return layer;
}

const LATER = { mtime: new Date(5000) };

/** Files with distinct names. */
const files = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z]{1,6}(\/[a-z]{1,6}){0,2}$/),
    text: fc.string({ maxLength: 40 }),
    mode: fc.constantFrom(0o644, 0o755, 0o4755),
    uid: fc.nat(3),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 8 },
);

describe("two layers", () => {
  it("are the same content if only times and the compression differ, and else differ in exactly what was changed", async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async (made, seed) => {
        const later = made.map((one) => ({ ...one, ...LATER }));
        expect(await compared(made, later)).toMatchObject({
          same: "same-content",
          changes: [],
          times: made.length,
        });
        const at = seed % made.length;
        const changed = later.map((one, index) => (index === at ? { ...one, text: `${one.text}!` } : one));
        expect((await compared(made, changed)).changes).toEqual([
          { path: `/${made[at]?.name}`, how: ["content", "times"] },
        ]);
        const rest = later.filter((_, index) => index !== at);
        expect((await compared(made, rest)).changes).toEqual([
          { path: `/${made[at]?.name}`, how: ["removed"] },
        ]);
        expect((await compared(rest, made)).changes).toEqual([
          { path: `/${made[at]?.name}`, how: ["added"] },
        ]);
      }),
      { numRuns: 30 },
    );
  });

  it("are identical, whatever they are compressed with", async () => {
    const tar = await tarOf([{ name: "a", text: "a" }]);
    const layers = await compare(imageOf([tar]), imageOf([tar], { packed: (bytes) => bytes }));
    expect(layers).toMatchObject([{ same: "identical", changes: [], times: 0 }]);
  });

  it.each<[string, Made, Made, string[]]>([
    ["mode", { name: "a", mode: 0o755 }, { name: "a", mode: 0o4755 }, ["mode"]],
    ["owner", { name: "a", uid: 0 }, { name: "a", uid: 1 }, ["owner"]],
    ["group", { name: "a", gid: 0 }, { name: "a", gid: 1 }, ["owner"]],
    ["kind", { name: "a", type: "directory" }, { name: "a", text: "" }, ["type"]],
    ["end of a link", link("symlink", "b"), link("symlink", "b c"), ["content"]],
    ["file of a hard link", link("link", "b"), link("link", "c"), ["content"]],
    ["number of a device", device(1), device(2), ["content"]],
    ["attribute", attribute("one"), attribute("two"), ["attributes"]],
  ])("differ in the %s", async (_, before, after, how) => {
    expect((await compared([before], [after])).changes).toEqual([{ path: "/a", how }]);
  });

  it("differ where one of the images has no such layer", async () => {
    const tar = await tarOf([{ name: "a" }]);
    expect(await compare(imageOf([tar]), imageOf([tar, tar]))).toMatchObject([
      { same: "identical" },
      { same: "different", before: null, changes: [{ path: "/a", how: ["added"] }] },
    ]);
    const empty = await tarOf([]);
    expect(await compare(imageOf([tar, empty]), imageOf([tar]))).toMatchObject([
      { same: "identical" },
      { same: "different", after: null },
    ]);
  });

  it("give the files that were asked for", async () => {
    const tars = [await tarOf([{ name: "a", text: "1" }]), await tarOf([{ name: "a", text: "2" }])] as const;
    const wants = (path: string) => path === "a";
    const [layer] = await compareLayers(imageOf([tars[0]]), imageOf([tars[1]]), { ...options, wants });
    expect(layer?.kept.map((one) => String(one.get("a")))).toEqual(["1", "2"]);
  });
});

function link(type: "link" | "symlink", linkname: string): Made {
  return { name: "a", type, linkname };
}

function device(devminor: number): Made {
  return { name: "a", type: "character-device", devmajor: 1, devminor };
}

function attribute(value: string): Made {
  return { name: "a", pax: { "SCHILY.xattr.user.x": value } };
}

describe("two configurations", () => {
  const base = { created: "1", architecture: "amd64", os: "linux", config: { Env: ["A=b"], User: "" } };

  it("are the same if only times differ, and where nothing is said in another way", () => {
    const after = { ...base, created: "2", history: [{}], config: { Env: ["A=b"], Volumes: null, Cmd: [] } };
    expect(compareConfigs(base, after)).toEqual([]);
  });

  it.each([
    [{ ...base, architecture: "arm64" }, ["architecture"]],
    [{ ...base, variant: "v8" }, ["variant"]],
    [{ ...base, config: { Env: ["A=c"], User: "x" } }, ["config.Env", "config.User"]],
    [{ ...base, config: {} }, ["config.Env"]],
  ])("differ in what a container gets: %j", (after, fields) => {
    expect(compareConfigs(base, after)).toEqual(fields);
  });
});
