import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "coverage/", ".factory/", "src/schemas/*.js", "src/sbom/*.js", "fragments/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "no-restricted-imports": [
        "error",
        { paths: [{ name: "node:child_process", message: "go through src/tools/exec.ts" }] },
      ],
      eqeqeq: "error",
      "no-console": "error",
    },
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
