// Bundles src/cli.ts into dist/: an entry, a chunk for what each command loads, and V8's code cache for each chunk.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

// esbuild splits ES modules alone; code caches work for scripts alone. So: split first, then make each chunk a script.
const bundled = await build({
  absWorkingDir: root,
  entryPoints: { cli: "src/cli.ts" },
  outdir: "dist/chunks",
  bundle: true,
  splitting: true,
  write: false,
  format: "esm",
  platform: "node",
  target: "node20.19",
  chunkNames: "[name]-[hash]",
  minify: true,
  define: { FACTORY_VERSION: JSON.stringify(version) },
  // The CycloneDX library looks for it only where XML is asked for.
  external: ["xmlbuilder2"],
  // Handlebars's main file adds require() hooks and a printer; its compiler uses source-map only where that is there.
  // yaml's ES modules load faster than its CommonJS ones.
  alias: {
    handlebars: "./node_modules/handlebars/dist/cjs/handlebars.js",
    yaml: "./node_modules/yaml/browser/index.js",
  },
  plugins: [
    {
      name: "no-source-map",
      setup: (setup) => {
        setup.onResolve({ filter: /^source-map$/ }, ({ path }) => ({ path, namespace: "none" }));
        setup.onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};" }));
      },
    },
  ],
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});
const scripts = await Promise.all(
  bundled.outputFiles.map(async ({ path, text }) => {
    const { code } = await transform(text, {
      format: "cjs",
      platform: "node",
      target: "node20.19",
      minify: true,
      supported: { "dynamic-import": false },
    });
    return { name: basename(path), code };
  }),
);

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "chunks"), { recursive: true });
writeFileSync(join(dist, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
for (const { name, code } of scripts) writeFileSync(join(dist, "chunks", name), code);
const launcher = readFileSync(join(root, "scripts/launch.cjs"), "utf8").replace(
  "${FACTORY_VERSION}",
  version,
);
writeFileSync(join(dist, "cli.js"), launcher);
chmodSync(join(dist, "cli.js"), 0o755);

// The code caches: run commands once in a process of their own, and keep what V8 compiled for them.
const warm = spawnSync(process.execPath, [join(root, "scripts/warm.cjs"), join(dist, "cli.js"), root], {
  stdio: ["ignore", "ignore", "inherit"],
});
if (warm.status !== 0) throw new Error("the code caches could not be made");
