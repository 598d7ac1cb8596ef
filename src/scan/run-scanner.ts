import { FactoryError } from "../errors.ts";
import { isRefusal } from "../files/refused.ts";
import { readRegular } from "../files/read-regular.ts";
import { brief } from "../model/visible.ts";
import type { Exec } from "../tools/exec.ts";

/** A scanner that has not ended by then judges nothing. */
const TIMEOUT_MS = 600_000;
/** The largest report that is read, and what is kept of what it prints, in bytes. */
const MOST_REPORT = 256 << 20;
const MOST_PRINTED = 1 << 20;

/**
 * Runs a scanner that writes JSON to a file, or prints it where no file is given. A scanner that fails, hangs or is missing has not judged anything, so that is a reason and no
 * error.
 * @throws FactoryError INTERRUPTED
 */
export async function runScanner(
  exec: Exec,
  program: string,
  argv: readonly string[],
  { file, signal, env }: { file?: string; signal?: AbortSignal; env?: Record<string, string> },
): Promise<{ json: unknown } | { reason: string }> {
  try {
    const { exitCode, stdout, stderr, timedOut, aborted } = await exec(program, argv, {
      env,
      signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MOST_PRINTED,
    });
    if (aborted) throw new FactoryError("INTERRUPTED", `interrupted while ${program} ran`);
    if (timedOut) return { reason: `${program} did not end within ${TIMEOUT_MS / 60_000} minutes` };
    if (exitCode !== 0) {
      const last = stderr.trim().split("\n").at(-1)?.trim() ?? "";
      return { reason: `${program} failed: ${last === "" ? `exit ${exitCode}` : brief(last)}` };
    }
    if (file === undefined) return { json: JSON.parse(stdout) as unknown };
    const report = readRegular(file, MOST_REPORT);
    if (!report) return { reason: `${program} wrote a report that is too large, or none` };
    return { json: JSON.parse(report.bytes.toString("utf8")) as unknown };
  } catch (error) {
    if (error instanceof FactoryError && error.code === "TOOL_MISSING") return { reason: error.message };
    if (isRefusal(error)) return { reason: `${program} wrote no report` };
    if (error instanceof SyntaxError) return { reason: `${program} wrote something that is not JSON` };
    throw error;
  }
}
