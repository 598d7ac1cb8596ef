import { type EngineApi, EngineRefusal, pathPart } from "./engine-api.ts";
import { type Output, readOutput } from "./multiplexed.ts";

/** What became of a program that was run in a container. */
export interface Executed extends Output {
  /** null if the engine does not say. */
  exitCode: number | null;
  /** Whether the program was found and started; if not, stdout has the engine's words. */
  started: boolean;
}

export interface ExecInOptions {
  maxBytes: number;
  /** Ends the wait: what was written so far is the result. */
  signal?: AbortSignal;
  /** In place of the container's. */
  user?: string;
  /** Beside the container's; `NAME=value`. */
  env?: readonly string[];
}

/** How long after the end of its output an exec may still count as running, in milliseconds, and how often to ask. */
const EXEC_END = { waitMs: 20, times: 100 };

/**
 * Runs a program in a running container until it ends or the signal fires.
 * @throws EngineRefusal, and as EngineApi does
 */
export async function execIn(
  api: EngineApi,
  container: string,
  argv: readonly string[],
  { maxBytes, signal, user: User, env: Env }: ExecInOptions,
): Promise<Executed> {
  const create = `/containers/${pathPart(container)}/exec`;
  const asked = { AttachStdout: true, AttachStderr: true, Cmd: argv, User, Env };
  const { Id } = await api.json<{ Id: string }>("POST", create, { body: asked, signal });
  const options = { body: { Detach: false, Tty: false }, signal, timeoutMs: null };
  const { body } = await api.stream("POST", `/exec/${Id}/start`, options);
  const output = await readOutput(body, maxBytes).finally(() => body.destroy());
  if (output.overflowed || signal?.aborted) return { ...output, exitCode: null, started: true };
  for (let times = 0; ; times += 1) {
    const now = await api
      .json<{ Running: boolean; ExitCode: number | null; Pid: number }>("GET", `/exec/${Id}/json`, { signal })
      .catch((error: unknown) => {
        // It went with its container.
        if (error instanceof EngineRefusal && error.status === 404)
          return { Running: false, ExitCode: null, Pid: 1 };
        throw error;
      });
    if (!now.Running || times >= EXEC_END.times)
      return { ...output, exitCode: now.Running ? null : now.ExitCode, started: now.Pid !== 0 };
    await new Promise((done) => setTimeout(done, EXEC_END.waitMs));
  }
}
