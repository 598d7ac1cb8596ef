// Bundles src/cli.ts into dist/: an entry, a chunk for what each command loads, and V8's code cache for each chunk.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

// What every site has: the script of its pages, and their style with the 256 colours of a terminal.
const browser = await build({
  absWorkingDir: root,
  entryPoints: ["src/site/browser/main.ts"],
  bundle: true,
  write: false,
  format: "iife",
  platform: "browser",
  target: ["es2022"],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});
const NAMED =
  "2e3338 e06c60 6fbf73 d9b44a 6ba4e8 c586d6 55b8b8 d5d8db 7d868f ff8f84 93dd97 f2d274 94c1ff e3abf2 7fdcdc ffffff";
const SHADES = [0, 95, 135, 175, 215, 255];
const hex = (...rgb) => rgb.map((one) => one.toString(16).padStart(2, "0")).join("");
const colours = Array.from({ length: 256 }, (_, at) => {
  if (at < 16) return NAMED.split(" ")[at];
  if (at >= 232) return hex(...Array(3).fill(8 + (at - 232) * 10));
  const [r, g, b] = [Math.floor((at - 16) / 36), Math.floor((at - 16) / 6) % 6, (at - 16) % 6];
  return hex(SHADES[r], SHADES[g], SHADES[b]);
});
const { code: style } = await transform(
  [
    readFileSync(join(root, "src/site/site.css"), "utf8"),
    ...colours.map((colour, at) => `.f${at}{color:#${colour}}.k${at}{background:#${colour}}`),
  ].join("\n"),
  { loader: "css", minify: true },
);

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "site"), { recursive: true });
writeFileSync(join(dist, "site/site.js"), browser.outputFiles[0].text);
writeFileSync(join(dist, "site/site.css"), style);
copyFileSync(join(root, "src/site/icon.svg"), join(dist, "site/icon.svg"));
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
