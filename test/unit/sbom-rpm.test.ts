import fc from "fast-check";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Interest } from "../../src/sbom/cataloger.ts";
import { rpm } from "../../src/sbom/catalogers/rpm.ts";
import { createNotes } from "../../src/sbom/notes.ts";
import { rpmHeaders } from "../../src/sbom/rpm-database.ts";
import { noPause, onlyFile } from "../fixtures/sbom/image.ts";

/*
 * Databases that rpm 4.18 and Berkeley DB 5.3 wrote: two packages; many.sqlite has each of them 150 times, on pages of 512
 * bytes, so that it has interior and overflow pages.
 */
const fixture = (name: string) =>
  gunzipSync(readFileSync(new URL(`../fixtures/sbom/rpm/${name}.gz`, import.meta.url)));
const sqlite = fixture("rpmdb.sqlite");
const bdb = fixture("Packages");

/** The same packages in rpm's own form. */
function ndb(): Buffer {
  const page = Buffer.alloc(4096);
  page.write("RpmP", "latin1");
  page.writeUInt32LE(1, 12);
  const blobs: Buffer[] = [];
  let block = page.length / 16;
  for (const [at, header] of [...rpmHeaders(sqlite)].entries()) {
    const slot = 32 + 16 * at;
    const head = Buffer.alloc(16);
    head.write("BlbS", "latin1");
    head.writeUInt32LE(at + 1, 4);
    head.writeUInt32LE(header.length, 12);
    const blob = Buffer.concat([head, header, Buffer.alloc(16 - (header.length % 16))]);
    page.write("Slot", slot, "latin1");
    page.writeUInt32LE(at + 1, slot + 4);
    page.writeUInt32LE(block, slot + 8);
    page.writeUInt32LE(blob.length / 16, slot + 12);
    block += blob.length / 16;
    blobs.push(blob);
  }
  return Buffer.concat([page, ...blobs]);
}

async function packagesIn(bytes: Buffer, path = "var/lib/rpm/rpmdb.sqlite") {
  const notes = createNotes();
  const { reduce } = rpm.wants(path, path.slice(path.lastIndexOf("/") + 1)) as Interest;
  const matters = (file: string) => file.startsWith("usr/bin/");
  const kept = (await reduce?.(bytes, { path, notes, matters })) ?? null;
  const files = onlyFile(path, kept);
  const os = { id: "fedora", version: "38", title: "Fedora", distro: "fedora-38" };
  const packages = await rpm.catalog(files, { os, notes, pace: noPause });
  const owners = await rpm.owned?.(files, packages, noPause);
  return { packages, owners, warnings: notes.lines() };
}

const LIBRARY =
  "pkg:rpm/fedora/demo-lib@1.2.3-4?arch=x86_64&distro=fedora-38&epoch=2&upstream=demo-lib-1.2.3-4.src.rpm";
const APP = "pkg:rpm/fedora/demo-app@0.1-1?arch=noarch&distro=fedora-38&upstream=demo-app-0.1-1.src.rpm";

describe("rpm", () => {
  test.each([
    ["sqlite", () => sqlite],
    ["Berkeley DB", () => bdb],
    ["ndb", ndb],
  ])("the packages of a database in the form of %s", async (_form, database) => {
    const { packages, owners, warnings } = await packagesIn(database());
    const [app, library] = [APP, LIBRARY].map((purl) => packages.find((one) => one.purl === purl));
    expect(packages).toHaveLength(2);
    expect(library).toMatchObject({
      name: "demo-lib",
      version: "2:1.2.3-4",
      license: { each: [{ id: "MIT" }] },
      supplier: { name: "Demo Vendor" },
    });
    expect(app?.needs).toEqual([LIBRARY]);
    expect([...(owners ?? [])]).toEqual([["usr/bin/demo", LIBRARY]]);
    expect(warnings).toEqual([]);
  });

  test("tables with interior and overflow pages are read whole", () => {
    expect([...rpmHeaders(fixture("many.sqlite"))]).toHaveLength(300);
  });

  test("places and names of databases", () => {
    const wanted = (path: string) => rpm.wants(path, path.slice(path.lastIndexOf("/") + 1)) !== null;
    for (const path of [
      "var/lib/rpm/Packages",
      "usr/lib/sysimage/rpm/rpmdb.sqlite",
      "usr/lib/sysimage/rpm/Packages.db",
    ])
      expect(wanted(path)).toBe(true);
    for (const path of ["home/x/Packages", "var/lib/rpm/Packages.bak", "dists/x/Packages"])
      expect(wanted(path)).toBe(false);
  });

  test("a damaged database gives what is sound of it and a warning, and ends", async () => {
    for (const whole of [sqlite, bdb, ndb(), fixture("many.sqlite")]) {
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { maxLength: 20 }),
          fc.nat(whole.length),
          async (changes, length) => {
            const bytes = Buffer.from(whole);
            for (const [at, value] of changes) bytes[at] = value;
            await packagesIn(bytes);
            await packagesIn(bytes.subarray(0, length));
          },
        ),
        { numRuns: 30 },
      );
    }
    const { packages, warnings } = await packagesIn(Buffer.from("nothing"));
    expect(packages).toEqual([]);
    expect(warnings).toEqual(["left out what cannot be read of rpm databases: /var/lib/rpm/rpmdb.sqlite"]);
  });

  test("pages that lead round in circles end", () => {
    const circle = Buffer.from(fixture("many.sqlite"));
    // The table's root is page 2: its last child is itself.
    circle.writeUInt32BE(2, 512 + 8);
    expect(() => [...rpmHeaders(circle)]).toThrow("circles");
  });
});
