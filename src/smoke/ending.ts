import type { ContainerState } from "../tools/containers.ts";
import type { SmokeContext } from "./suite-run.ts";

/** 128 and the number of SIGKILL. */
const SIGKILLED = 137;

/** How a container stands, or how it ended. */
export type Ending =
  | { how: "running"; outOfMemory: boolean }
  /** By itself. */
  | { how: "exited"; exitCode: number; outOfMemory: boolean }
  /** The engine's words where it could not be started; whether that lies in the image. */
  | { how: "never-ran"; ofImage: boolean; why: string }
  /** Somebody else ended, paused or removed it: that says nothing about the image. */
  | { how: "killed"; why: string };

function neverRan({ ExitCode, Error: words }: ContainerState): Ending {
  // A program that the image lacks or may not execute is the image's own failure.
  return {
    how: "never-ran",
    ofImage: ExitCode === 126 || ExitCode === 127,
    why: `could not be started: ${words}`.trim(),
  };
}

/**
 * Tells how a container stands. One that is gone was removed by somebody, for the suite removes its own only when it is done with
 * them. The first process of a container cannot be killed from within: SIGKILL came from outside, unless memory ran out. Other
 * signals may be handled: then the engine's events tell that it was asked to send one.
 */
export async function endingOf(context: SmokeContext, id: string): Promise<Ending> {
  const { containers } = context.docker;
  const state = (await containers.inspect(id))?.State;
  if (!state) return { how: "killed", why: "the container was removed during the test, and not by this run" };
  if (state.Paused)
    return { how: "killed", why: "the container was paused during the test, and not by this run" };
  if (state.StartedAt.startsWith("0001-") && !state.Running) return neverRan(state);
  if (state.Running) return { how: "running", outOfMemory: state.OOMKilled };
  if (state.OOMKilled) return { how: "exited", exitCode: state.ExitCode, outOfMemory: true };
  if (state.ExitCode === SIGKILLED || (await containers.wasKilled(id, state))) {
    const why = `the container was killed during the test, and not by this run (exit code ${state.ExitCode})`;
    return { how: "killed", why };
  }
  return { how: "exited", exitCode: state.ExitCode, outOfMemory: false };
}
