import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { makeCatalog, repository } from "./workspace.ts";

/** The code blocks of a section of the README. */
function blocks(section: string): string[] {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const text = readme.slice(readme.indexOf(`## ${section}`)).split(/\n(?=## )/)[0] ?? "";
  return [...text.matchAll(/```\w*\n([^]*?)```/g)].map(([, block = ""]) => block);
}

it("the first screen of the README shows what its documents become", () => {
  const all = blocks("One screen");
  const files = Object.fromEntries(
    all.slice(0, -1).map((block) => {
      const [first = "", ...rest] = block.split("\n");
      return [first.replace("# ", ""), rest.join("\n")];
    }),
  );
  const catalog = makeCatalog({
    ...files,
    "manifests/demo.yaml": null,
    "fragments/user/1.0.3/fragment.yaml": "schema_version: 1\nname: user\nversion: 1.0.3\norder: 10\n",
    "fragments/app/2.1.0/serve": "#!/bin/sh\n",
    "templates/service/1.0.0/template.yaml":
      "schema_version: 1\ntemplate_id: service\nversion: 1.0.0\nslots: [{name: user}, {name: app}]\n",
    "templates/service/1.0.0/Dockerfile.hbs":
      'FROM {{base}} AS base\n\n{{slot "user"}}\n\n{{slot "app"}}\n\n{{labels}}\n',
  });
  const ours = checkWorkspace(catalog).findings.filter(({ where }) =>
    Object.hasOwn(files, where?.file ?? ""),
  );
  expect(ours).toEqual([]);
  const { dockerfile } = stitch(catalog, "hello");
  expect(all.at(-1)).toBe(`${dockerfile.split("\nLABEL ")[0]?.trimEnd()}\nLABEL …\n`);
});
