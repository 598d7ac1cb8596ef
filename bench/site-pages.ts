import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rowsHtml } from "../src/site/log-html.ts";
import { readLog } from "../src/site/log-steps.ts";
import { writeManyRecords } from "./many-records.ts";
import { compare, median, once } from "./measure.ts";
import type { Bench } from "./planner.ts";

const ESC = "\u001b";

/** A log of a build with colours, and with bars that are drawn again in place. */
function logOf(lines: number): string {
  const said = Array.from({ length: lines }, (_, at) => {
    const time = (at / 1000).toFixed(3);
    if (at % 50 === 49) return `#1 ${time} ${ESC}[2A${ESC}[2K  layer ${at}: ${ESC}[32mdone${ESC}[0m`;
    if (at % 10 === 3) return `#1 ${time} ${ESC}[1;33mwarning${ESC}[0m: package ${at} has no licence`;
    if (at % 10 === 7) return `#1 ${time} ${at} of ${lines}\r${ESC}[K${at + 1} of ${lines}`;
    return `#1 ${time} Get:${at} http://deb.example bookworm/main amd64 package-${at} [12.3 kB]`;
  });
  return `#1 [core 2/3] RUN make\n${said.join("\n")}\n#1 DONE 12.0s\n`;
}

async function rendered(file: string): Promise<{ ms: number }> {
  const start = performance.now();
  const html = readLog(readFileSync(file))
    .steps.map(({ rows }) => rowsHtml(rows, 0, rows.length))
    .join("");
  if (html.length === 0) throw new Error("nothing was rendered");
  return await Promise.resolve({ ms: performance.now() - start });
}

/** A log of 50,000 lines as HTML against `cat`, and a site of ten times the records. */
export async function sitePages({ factory, report, say }: Bench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    const file = join(folder, "log");
    const text = logOf(50_000);
    writeFileSync(file, text);
    const cat = () => once({ argv: ["cat", file] });
    await rendered(file);
    const ansi = await compare(
      7,
      async () => ({ ...(await rendered(file)), peakMib: null, exitCode: 0, stdout: "" }),
      cat,
    );
    report("a log of 50,000 lines as HTML", "cat", ansi);
    const seconds = median(ansi.pairs.map(({ a }) => a.ms)) / 1000;
    say(
      `  ${(text.length / 1e6 / seconds).toFixed(0)} MB/s, where cat does ${(text.length / 1e6 / (ansi.b / 1000)).toFixed(0)}`,
    );

    const made = async (count: number) => {
      const root = join(folder, String(count));
      writeManyRecords(root, count, { bare: true });
      writeFileSync(join(root, "factory.yaml"), "schema_version: 1\nrepository: x/y\n");
      return factory(root, "site", "--records-only", "-o", "site", "--quiet");
    };
    const [few, many] = [await made(500), await made(5000)];
    const ratio = many.ms / few.ms;
    report("a site of 5,000 records", "one of 500", { ratio, least: ratio, most: ratio }, 12);
    say(
      `  ${((many.ms - few.ms) / 4500).toFixed(1)} ms a record; peak memory ${((many.peakMib ?? 0) / (few.peakMib ?? 1)).toFixed(1)} × as much`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
