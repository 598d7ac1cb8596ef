// Writes the SBOM of a made-up image: `large-image.ts deb|pypi COUNT`. It says how long the event loop was held at most,
// in milliseconds, and how many components there are.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSbom } from "../src/sbom/sbom.ts";
import { savedImage, writeLayout } from "../test/fixtures/sbom/image.ts";
import { DEBIAN, dpkgDatabase, pythonDistributions } from "../test/fixtures/sbom/large.ts";

const [kind, count = "0"] = process.argv.slice(2);
const entries = kind === "deb" ? [dpkgDatabase(Number(count))] : pythonDistributions(Number(count));
const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
const notAsked = () => Promise.reject(new Error("the engine was asked"));
try {
  const { files } = await savedImage({ "linux/amd64": [[DEBIAN, ...entries]] });
  writeLayout(folder, files);
  files.length = 0;
  entries.length = 0;
  let held = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    held = Math.max(held, performance.now() - last);
    last = performance.now();
  }, 1);
  const start = performance.now();
  const { components } = await makeSbom(
    { ref: "large", name: "large:1", digest: null, platform: "linux/amd64", layout: folder },
    {
      docker: { inspectImage: notAsked, saveImage: notAsked },
      now: () => null,
      clock: () => performance.now(),
      toolVersion: "0.0.0",
    },
  );
  const ms = performance.now() - start;
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ ms, held, components }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
