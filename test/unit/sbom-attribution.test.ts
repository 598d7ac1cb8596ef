import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { readArchive } from "../../src/sbom/archive.ts";
import { attribute } from "../../src/sbom/attribution.ts";
import { createBudget } from "../../src/sbom/budget.ts";
import { packageComponent, systemComponent } from "../../src/sbom/component.ts";
import { takeInventory } from "../../src/sbom/inventory.ts";
import { type Recipe, layerOwners } from "../../src/sbom/layer-origin.ts";
import { chooseManifest } from "../../src/sbom/manifest.ts";
import { mergeLayers } from "../../src/sbom/merge.ts";
import { createNotes } from "../../src/sbom/notes.ts";
import { goBuild, programOf } from "../fixtures/sbom/programs.ts";
import { zipOf } from "../fixtures/sbom/zip.ts";
import { noPause, savedImage, type TarEntry } from "../fixtures/sbom/image.ts";

const RECIPE: Recipe = {
  dockerfile: `FROM debian AS core
RUN one
RUN two
FROM core AS app
COPY x /
RUN three
FROM app AS image
RUN last
`,
  fragments: [
    { name: "core", version: "0.1.0" },
    { name: "app", version: "0.2.0" },
  ],
};

const made = (created_by: string) => ({ created_by });
const HISTORY = ["base", "RUN one", "RUN two", "COPY x /", "RUN three", "RUN last"].map(made);

/** Whose each package is, as `NAME@VERSION: FRAGMENT LAYER`, in an image with these layers. */
async function broughtIn(
  layers: readonly (readonly TarEntry[])[],
  recipe: Recipe | undefined = RECIPE,
  history: object[] = HISTORY,
): Promise<string[]> {
  const notes = createNotes();
  const { tar } = await savedImage({ "linux/amd64": layers });
  const options = { budget: createBudget(), wanted: new Set<string>(), notes };
  const chosen = chooseManifest(await readArchive(Readable.from([tar]), options), "linux/amd64");
  const files = await mergeLayers(chosen.layers, noPause);
  const inventory = await takeInventory(files, notes, noPause);
  const config = { history, rootfs: { diff_ids: layers.map((_, at) => `sha256:${at}`) } };
  await attribute(inventory, files, { config, layers: layers.length, recipe }, noPause);
  const told = [
    ...(inventory.os ? [systemComponent(inventory.os, inventory.osBrought)] : []),
    ...inventory.packages.map(packageComponent),
  ];
  return told.map(({ name, version, properties }) => {
    const of = (wanted: string) => [...properties].find((one) => one.name === wanted)?.value ?? "-";
    return `${name}@${version}: ${of("factory:fragment")} ${of("factory:layer").replace("sha256:", "")}`;
  });
}

const status = (...packages: string[]): TarEntry => ({
  name: "var/lib/dpkg/status",
  text: packages
    .map((one) => one.split("@"))
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`,
    )
    .join("\n"),
});

const npm = (name: string, version = "1.0.0", more = ""): TarEntry => ({
  name: `app/node_modules/${name}/package.json`,
  text: `${JSON.stringify({ name, version })}${more}`,
});

const apk = (...packages: string[]): TarEntry => ({
  name: "lib/apk/db/installed",
  text: packages
    .map((one) => one.split("@"))
    .map(([name, version]) => `P:${name}\nV:${version}\nA:x86_64\n`)
    .join("\n"),
});

describe("a package belongs to", () => {
  test("the first layer that brought it in the version that it has now, whatever rewrites the database later", async () => {
    expect(
      await broughtIn([
        [status("libc@1", "openssl@1"), { name: "etc/os-release", text: "ID=debian\nVERSION_ID=12\n" }],
        [status("libc@1", "openssl@1", "python@3")],
        [status("libc@1", "openssl@2", "python@3")],
        [npm("x")],
        [status("libc@1", "openssl@2", "python@3", "curl@7")],
        [],
      ]),
    ).toEqual([
      "debian@12: base 0",
      "curl@7: app@0.2.0 4",
      "libc@1: base 0",
      "openssl@2: core@0.1.0 2",
      "python@3: core@0.1.0 1",
      "x@1.0.0: app@0.2.0 3",
    ]);
  });

  test("the layer of its program or archive, and within that of what changed in it", async () => {
    const program = (text: string): TarEntry => ({
      name: "bin/x",
      text: Buffer.concat([programOf([goBuild("go1.22.1", text)]), Buffer.alloc(4096)]),
      mode: 0o755,
    });
    const pom = (name: string) => ({
      "META-INF/maven/g/a/pom.properties": `groupId=g\nartifactId=${name}\nversion=1\n`,
    });
    const jar = (...parts: string[]): TarEntry => ({
      name: "a.jar",
      text: zipOf({
        ...pom("a"),
        ...Object.fromEntries(parts.map((one) => [`${one}.jar`, zipOf(pom(one))])),
      }),
    });
    expect(
      await broughtIn([
        [program("dep\tb.org/b\tv1.0.0\ndep\tc.org/c\tv1.0.0\n")],
        [jar("b")],
        [program("dep\tb.org/b\tv1.0.0\ndep\tc.org/c\tv1.1.0\n")],
        [jar("b", "c")],
        [],
        [],
      ]),
    ).toEqual([
      "b.org/b@v1.0.0: base 0",
      "c.org/c@v1.1.0: core@0.1.0 2",
      "stdlib@1.22.1: base 0",
      "a@1: core@0.1.0 1",
      "b@1: core@0.1.0 1",
      "c@1: app@0.2.0 3",
    ]);
  });

  test("the layer that brought it back, after it or the whole database was gone", async () => {
    expect(
      await broughtIn([
        [apk("a@1", "b@1", "c@1")],
        [apk("a@1", "c@1")],
        [apk("a@1", "b@1", "c@1")],
        [],
        [{ name: "app/.wh.node_modules", text: "" }],
        [],
      ]),
    ).toEqual(["a@1: base 0", "b@1: core@0.1.0 2", "c@1: base 0"]);
    expect(
      await broughtIn([
        [apk("a@1")],
        [{ name: "lib/apk/db/.wh.installed", text: "" }],
        [apk("a@1")],
        [],
        [],
        [],
      ]),
    ).toEqual(["a@1: core@0.1.0 2"]);
  });

  test("the layer of its own file: the same bytes again, or others of one version, bring nothing new", async () => {
    expect(
      await broughtIn([
        [npm("same"), npm("touched"), npm("raised"), npm("back")],
        [npm("same"), npm("raised", "2.0.0"), npm("back", "2.0.0")],
        [{ name: "app/node_modules/.wh.same", text: "" }, npm("same")],
        [npm("touched", "1.0.0", "\n"), npm("back")],
        [],
        [],
      ]),
    ).toEqual([
      "back@1.0.0: app@0.2.0 3",
      "raised@2.0.0: core@0.1.0 1",
      "same@1.0.0: base 0",
      "touched@1.0.0: base 0",
    ]);
  });

  test("the template, if a step of its own brought it", async () => {
    expect(await broughtIn([[], [], [], [], [], [npm("z")]])).toEqual(["z@1.0.0: template 5"]);
  });

  test("its layer alone if the recipe is not known, or the history has other steps; to none without hashes", async () => {
    const layers = [[npm("a")], [], [], [], [], [npm("z")]];
    const none = { dockerfile: "FROM x\n", fragments: [] };
    expect(await broughtIn(layers, none)).toEqual(["a@1.0.0: base 0", "z@1.0.0: base 5"]);
    const other = HISTORY.map((one) => (one.created_by === "RUN two" ? made("ADD x /") : one));
    expect(await broughtIn(layers, RECIPE, other)).toEqual(["a@1.0.0: - 0", "z@1.0.0: template 5"]);
    expect(layerOwners(undefined, { history: [], layers: [1, 2] })).toEqual([null, null]);
    expect(layerOwners(RECIPE, { history: [], layers: [1, 2] })).toEqual([null, null]);
  });
});
