import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One finished process: wall time in milliseconds, its exit code and what it printed on stdout. */
export interface Finished {
  ms: number;
  exitCode: number | null;
  stdout: string;
  /** Peak resident memory in MiB, for Node processes; null for others. */
  peakMib: number | null;
}

export interface Command {
  argv: readonly [string, ...string[]];
  cwd?: string;
  env?: Record<string, string>;
}

const reporter = fileURLToPath(new URL("./report-peak.cjs", import.meta.url));
let files = 0;

/** Runs a command to its end. @throws where it does not exit with 0 */
export async function once({ argv, cwd, env }: Command): Promise<Finished> {
  const [file, ...args] = argv;
  const peak = join(tmpdir(), `factory-bench-${process.pid}-${(files += 1)}`);
  const isNode = file === process.execPath;
  const start = performance.now();
  const child = spawn(file, isNode ? ["--require", reporter, ...args] : args, {
    cwd,
    env: { ...process.env, ...env, FACTORY_BENCH_PEAK: peak },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((done, fail) =>
    child.on("error", fail).on("close", done),
  );
  const ms = performance.now() - start;
  if (exitCode !== 0)
    throw new Error(
      `${argv.join(" ")} exited with ${exitCode}\n${stderr.slice(-2000)}${stdout.slice(-2000)}`,
    );
  let peakMib: number | null = null;
  if (isNode) {
    peakMib = Number(readFileSync(peak, "utf8")) / 1024;
    rmSync(peak);
  }
  return { ms, exitCode, stdout, peakMib };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/**
 * Two commands in turn, A B A B …, after a warm-up of each. The ratio is the median of the ratios pair by pair, so that
 * it holds when the machine's speed drifts.
 */
export async function compare(
  runs: number,
  a: (run: number) => Promise<Finished>,
  b: (run: number) => Promise<Finished>,
  warmUp = true,
) {
  if (warmUp) {
    await a(-1);
    await b(-1);
  }
  const pairs: { a: Finished; b: Finished }[] = [];
  for (let run = 0; run < runs; run += 1) pairs.push({ a: await a(run), b: await b(run) });
  const ratios = pairs.map((pair) => pair.a.ms / pair.b.ms);
  return {
    ratio: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    a: median(pairs.map((pair) => pair.a.ms)),
    b: median(pairs.map((pair) => pair.b.ms)),
    pairs,
  };
}
