import { promises } from "node:fs";
import * as fs from "node:fs";
import tseslint from "typescript-eslint";

/** What of node:fs only reads. All else may write, so it is for src/files/ alone. */
const READS =
  /^(access|close|exists|fstat|lstat|open|opendir|read\w*|realpath|stat|statfs)(Sync)?$|^(Dirent|Dir|Stats|createReadStream|constants)$/;
const writing = (module) => Object.keys(module).filter((name) => !READS.test(name));
const writers = [
  ["node:fs", writing(fs)],
  ["fs", writing(fs)],
  ["node:fs/promises", ["default", ...writing(promises)]],
  ["fs/promises", ["default", ...writing(promises)]],
].map(([name, importNames]) => ({ name, importNames, message: "files are written by src/files/ alone" }));
const exec = { name: "node:child_process", message: "go through src/tools/exec.ts" };

export default tseslint.config(
  {
    ignores: [
      "dist/",
      "coverage/",
      ".factory/",
      "src/schemas/*.js",
      "src/sbom/*.js",
      "fragments/",
      "examples/",
    ],
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "no-restricted-imports": ["error", { paths: [exec, ...writers] }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "ImportExpression[source.value=/^(node:)?fs(\\u002f|$)/]",
          message: "import what is needed by its name, at the top",
        },
      ],
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    files: ["src/files/**/*.ts"],
    rules: { "no-restricted-imports": ["error", { paths: [exec] }] },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: { "no-console": "off", "no-restricted-imports": "off" },
  },
  {
    // Generated: two names of one list stand side by side where a schema has both.
    files: ["src/schemas/types.ts"],
    rules: { "@typescript-eslint/no-duplicate-type-constituents": "off" },
  },
);
