// Bundles src/cli.ts into dist/: one small entry, and a chunk for what each command loads.
import { readFileSync, rmSync, chmodSync } from "node:fs";
import { build } from "esbuild";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const root = new URL("..", import.meta.url).pathname;

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: { cli: "src/cli.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  chunkNames: "chunks/[name]-[hash]",
  minify: true,
  keepNames: true,
  legalComments: "linked",
  define: { FACTORY_VERSION: JSON.stringify(version) },
  // The CycloneDX library looks for its optional validators at run time, beside itself.
  external: ["@cyclonedx/cyclonedx-library"],
  // Handlebars's main file registers require() hooks and a printer; its compiler asks for source-map only where it is there.
  alias: { handlebars: "./node_modules/handlebars/dist/cjs/handlebars.js" },
  plugins: [
    {
      name: "no-source-map",
      setup: (setup) => {
        setup.onResolve({ filter: /^source-map$/ }, (args) => ({ path: args.path, namespace: "none" }));
        setup.onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};" }));
      },
    },
  ],
  // CommonJS dependencies ask for Node's own modules by require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  metafile: process.argv.includes("--metafile"),
  logLevel: "warning",
});
chmodSync(new URL("../dist/cli.js", import.meta.url), 0o755);
if (result.metafile)
  (await import("node:fs")).writeFileSync(
    new URL("../dist/meta.json", import.meta.url),
    JSON.stringify(result.metafile),
  );
