// Renews test/fixtures/github/openapi.json: what GitHub's published OpenAPI description says of the requests that Factory
// makes. It comes from the npm package @octokit/openapi, which is fetched for this and not installed.
//
//   node scripts/github-openapi.mjs            of the version that the file is from
//   node scripts/github-openapi.mjs VERSION    of another one, such as `latest`
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as prettier from "prettier";

const file = fileURLToPath(new URL("../test/fixtures/github/openapi.json", import.meta.url));
const PACKAGE = "@octokit/openapi";
const versions = (owner) => `/${owner}/packages/{package_type}/{package_name}/versions`;
/** Requests, by path. */
const WANTED = {
  "/users/{username}": ["get"],
  ...Object.fromEntries(
    ["orgs/{org}", "users/{username}"].flatMap((owner) => [
      [versions(owner), ["get"]],
      [`${versions(owner)}/{package_version_id}`, ["get", "delete"]],
    ]),
  ),
};
/** What is for people. */
const WORDS = new Set(["description", "summary", "title", "example", "examples", "externalDocs"]);

/** A part of the description without words for people. @param isNames whether its keys are names that somebody gave */
function plain(node, isNames = false) {
  if (Array.isArray(node)) return node.map((each) => plain(each));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => isNames || !(WORDS.has(key) || key.startsWith("x-")))
      .map(([key, value]) => [key, plain(value, !isNames && key === "properties")]),
  );
}

/** The version that the file is from; where there is none, the newest. */
function known() {
  try {
    return JSON.parse(readFileSync(file, "utf8")).from.version;
  } catch {
    return "latest";
  }
}

const folder = mkdtempSync(join(tmpdir(), "factory-openapi-"));
try {
  const packed = execFileSync(
    "npm",
    ["pack", `${PACKAGE}@${process.argv[2] ?? known()}`, "--json", "--pack-destination", folder],
    { encoding: "utf8", maxBuffer: 64 << 20 },
  );
  const [{ version, filename }] = JSON.parse(packed);
  const path = "package/generated/api.github.com.deref.json";
  const text = execFileSync("tar", ["-xzOf", join(folder, filename), path], { maxBuffer: 1 << 30 });
  const whole = JSON.parse(text.toString("utf8"));
  const paths = Object.fromEntries(
    Object.entries(WANTED).map(([at, methods]) => [
      at,
      Object.fromEntries(
        methods.map((method) => {
          const { parameters, responses } = whole.paths[at][method];
          return [method, plain({ parameters, responses })];
        }),
      ),
    ]),
  );
  const excerpt = {
    from: { package: PACKAGE, version, file: path, license: "MIT, Copyright (c) 2020 Octokit contributors" },
    openapi: whole.openapi,
    paths,
  };
  const config = await prettier.resolveConfig(file);
  writeFileSync(file, await prettier.format(JSON.stringify(excerpt), { ...config, parser: "json" }));
  console.log(`${file}: from ${PACKAGE} ${version}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
