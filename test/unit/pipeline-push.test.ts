import { describe, expect, it } from "vitest";
import { pushImage } from "../../src/pipeline/push.ts";
import { scriptedDocker } from "./scripted-docker.ts";
import type { ExecResult } from "../../src/tools/exec.ts";

const OURS = `sha256:${"a".repeat(64)}`;
const THEIRS = `sha256:${"b".repeat(64)}`;
const REF = "registry.example/team/app:1";

const ended = (exitCode: number | null, stdout: string, stderr = ""): ExecResult => ({
  exitCode,
  stdout,
  stderr,
  timedOut: false,
  aborted: exitCode === null,
});
const digest = (value: string) => ended(0, `1: digest: ${value} size: 855\n`);

/** Pushes against an engine that gives these answers to `docker image push`, and takes every tag. */
async function push(answers: ExecResult[], signal?: AbortSignal) {
  const calls: string[] = [];
  const warnings: string[] = [];
  const waits: number[] = [];
  const run = (argv: readonly string[]) => {
    calls.push(argv.join(" "));
    const answer = answers.shift();
    return answer ? Promise.resolve(answer) : Promise.reject(new Error("unscripted push"));
  };
  const deps = {
    docker: scriptedDocker({
      run,
      tagImage: (image, ref) => Promise.resolve(void calls.push(`image tag ${image} ${ref}`)),
    }),
    sleep: (ms: number) => Promise.resolve(void waits.push(ms)),
    warn: (text: string) => void warnings.push(text),
  };
  return { ...(await pushImage(REF, OURS, deps, signal)), calls, warnings, waits };
}

describe("pushImage", () => {
  it("takes a push for one only where the registry has the digest that was tested", async () => {
    expect(await push([digest(OURS)])).toMatchObject({
      failure: null,
      retries: 0,
      calls: [`image push ${REF}`],
    });
    expect((await push([ended(0, "done")])).failure).toMatchObject({
      status: "error",
      class: "push",
      what: `the registry has no digest under ${REF}, and ${OURS} was tested`,
    });
  });

  it("moves the tag back where another run moved it in between, and pushes again", async () => {
    const { failure, calls, warnings, retries } = await push([digest(THEIRS), digest(OURS)]);
    expect(failure).toBe(null);
    expect(calls).toEqual([`image push ${REF}`, `image tag ${OURS} ${REF}`, `image push ${REF}`]);
    expect(warnings).toEqual([expect.stringContaining("was moved by another run")]);
    expect(retries).toBe(1);
  });

  it("gives up where that goes on", async () => {
    const { failure, calls } = await push([digest(THEIRS), digest(THEIRS), digest(THEIRS)]);
    expect(failure).toMatchObject({ class: "push", what: expect.stringContaining(THEIRS) as string });
    expect(calls.filter((call) => call.includes("push"))).toHaveLength(3);
  });

  it("tries again what may pass, three times at most, and says so", async () => {
    const down = ended(1, "", "received unexpected HTTP status: 503 Service Unavailable");
    expect(await push([down, digest(OURS)])).toMatchObject({ failure: null, retries: 1, waits: [10_000] });
    const never = await push([down, down, down]);
    expect(never).toMatchObject({ retries: 2, failure: { status: "error", class: "registry-unavailable" } });
    expect(never.warnings).toHaveLength(2);
  });

  it("does not try again what stays as it is, nor once it is interrupted", async () => {
    const denied = ended(1, "", "denied: requested access to the resource is denied");
    expect(await push([denied])).toMatchObject({ waits: [], failure: { class: "registry-denied" } });
    const reset = ended(1, "", "connection reset by peer");
    expect(await push([reset], AbortSignal.abort())).toMatchObject({
      waits: [],
      failure: { status: "error", class: "interrupted" },
    });
  });
});
