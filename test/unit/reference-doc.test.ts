import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { referencePages } from "../../scripts/reference.ts";
import { FILE_KINDS, FOLDER_KINDS } from "../../src/catalog/kinds-of-documents.ts";
import { repository } from "./workspace.ts";

describe("the reference", () => {
  const pages = referencePages();

  it.each(Object.keys(pages))("is what `npm run reference` writes: %s", (file) => {
    expect(readFileSync(join(repository, file), "utf8")).toBe(pages[file]);
  });

  it("has a page for every kind of document, and no other", () => {
    const kinds = [...Object.keys(FILE_KINDS), ...Object.keys(FOLDER_KINDS), "workspace", "local", "smoke"];
    const files = readdirSync(join(repository, "docs/reference")).filter((name) => name !== "README.md");
    expect(files.sort()).toEqual(kinds.map((kind) => `${kind}.md`).sort());
  });

  it("names fields at any depth, and which have to be there", () => {
    expect(pages["docs/reference/manifest.md"]).toContain("| `base.manifest` |");
    expect(pages["docs/reference/manifest.md"]).toMatch(/\| `manifest_id` \| [^|]+ \| \*\*required\*\*/);
    expect(pages["docs/reference/smoke.md"]).toContain("| `[].services.<name>.wait_for.log.contains` |");
    expect(pages["docs/reference/plan.md"]).toContain("| `expect[].until` |");
    expect(pages["docs/reference/fragment.md"]).toContain("| `args.<name>.items.type` |");
  });
});
