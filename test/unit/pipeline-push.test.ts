import { describe, expect, it } from "vitest";
import { RETRIES } from "../../src/model/retries.ts";
import { push as stage, pushImage } from "../../src/pipeline/push.ts";
import { DIGEST, manyCells, runIn, scriptedImages } from "./run-world.ts";
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
async function push(answers: ExecResult[], signal?: AbortSignal, policy = RETRIES) {
  const calls: string[] = [];
  const warnings: string[] = [];
  const waits: number[] = [];
  const signals = new Set<AbortSignal | undefined>();
  const run = (argv: readonly string[], options: { signal?: AbortSignal } = {}) => {
    calls.push(argv.join(" "));
    signals.add(options.signal);
    const answer = answers.shift();
    return answer ? Promise.resolve(answer) : Promise.reject(new Error("unscripted push"));
  };
  const deps = {
    docker: scriptedDocker({
      run,
      tagImage: (image, ref, options) => {
        calls.push(`image tag ${image} ${ref}`);
        signals.add(options?.signal);
        return Promise.resolve();
      },
    }),
    sleep: (ms: number, until?: AbortSignal) => {
      waits.push(ms);
      signals.add(until);
      return Promise.resolve();
    },
    random: () => 0.5,
    policy,
    warn: (text: string) => void warnings.push(text),
  };
  return { ...(await pushImage(REF, OURS, deps, signal)), calls, warnings, waits, signals };
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
      what: `${REF} is of unknown digest in the registry, and ${OURS} was tested`,
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
    expect(never.warnings).toEqual(
      [2, 3].map((at) => `push of ${REF}: ${down.stderr}; trying again in 10 s (${at} of 3)`),
    );
  });

  it("does as factory.yaml says, with one limit for all that is pushed again", async () => {
    const down = ended(1, "", "received unexpected HTTP status: 503 Service Unavailable");
    const policy = { tries: 4, wait_s: 2, most_s: 5 };
    const never = await push([down, digest(THEIRS), down, down], undefined, policy);
    expect(never).toMatchObject({
      waits: [2000, 2000],
      retries: 3,
      failure: { class: "registry-unavailable" },
    });
    expect(never.warnings.at(-1)).toContain("(3 of 4)");
    const limited = ended(1, "", "toomanyrequests: 429 Too Many Requests");
    expect((await push([limited, limited, digest(OURS)])).waits).toEqual([30_000, 60_000]);
    expect((await push([down], undefined, { ...RETRIES, tries: 1 })).waits).toEqual([]);
  });

  it("counts every push but the first, whatever it was for", async () => {
    const down = ended(1, "", "received unexpected HTTP status: 503 Service Unavailable");
    expect(await push([down, digest(THEIRS), down, digest(OURS)])).toMatchObject({
      failure: null,
      retries: 3,
    });
  });

  it("keeps the last lines that docker wrote, and calls a failure without a cause of its own one of the push", async () => {
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
    const { failure } = await push([ended(1, `${lines.slice(0, 49).join("\n")}`, "line 49\n")]);
    expect(failure).toEqual({
      status: "error",
      class: "push",
      what: `push of ${REF}: line 49`,
      log_excerpt: lines.slice(-40),
    });
  });

  it("can be interrupted, whatever it does", async () => {
    const { signal } = new AbortController();
    const down = ended(1, "", "received unexpected HTTP status: 503 Service Unavailable");
    const { signals } = await push([down, digest(THEIRS), digest(OURS)], signal);
    expect([...signals]).toEqual([signal]);
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

describe("the stage of the push", () => {
  const tagsOf = (images: ReturnType<typeof scriptedImages>) => [...images.pushed.keys()].sort();

  it("comes after the tag, and only where it is asked for", async () => {
    expect(stage).toMatchObject({ part: "delivery", needs: ["tag"], evidence: {} });
    const { images, store, value } = await runIn(manyCells());
    expect(tagsOf(images)).toEqual([]);
    expect((await store.get(value?.results[0]?.record_id ?? "")).image).toMatchObject({ pushed: false });
  });

  it("pushes each cell's tag, and the record says so", async () => {
    const world = manyCells();
    const { images, store, value } = await runIn({ ...world, push: true });
    const records = await Promise.all((value?.results ?? []).map(({ record_id }) => store.get(record_id)));
    expect(records.map(({ image }) => image?.pushed)).toEqual([true, true, true, true, true]);
    expect(tagsOf(images)).toEqual(records.map(({ image }) => image?.ref).sort());
    expect(new Set(images.pushed.values())).toEqual(new Set([DIGEST]));
  });

  it("leaves an error where the registry refuses, with how often it was tried, and nothing counts as pushed", async () => {
    const images = scriptedImages();
    let waits = 0;
    const { store, value, notes } = await runIn({
      ...manyCells(),
      jobs: 1,
      push: true,
      images: {
        ...images,
        run: (argv, options) =>
          argv[1] === "push"
            ? Promise.resolve(ended(1, "", "connection reset by peer"))
            : images.run(argv, options),
      },
      deps: { sleep: () => Promise.resolve(void (waits += 1)) },
    });
    expect(value?.results.map(({ status, stage: at, class: cause }) => [status, at, cause])[0]).toEqual([
      "error",
      "push",
      "network",
    ]);
    const record = await store.get(value?.results[0]?.record_id ?? "");
    expect(record).toMatchObject({ retries: 2, image: { pushed: false } });
    expect(waits).toBe(10);
    expect(notes.filter((note) => note.includes("trying again"))).toHaveLength(10);
  });

  it.each([
    ["only tagged where it is there", { built: null, isThere: true }, []],
    ["pushed where it is not", { built: null, isThere: false }, [`image push ${REF}`]],
    ["pushed where it was built just now", { built: {}, isThere: true }, [`image push ${REF}`]],
  ])("an image that the registry may have is %s", async (_, { built, isThere }, wanted) => {
    const calls: string[] = [];
    const trail = { retries: 0, image: { pushed: false } };
    const settings = { retries: RETRIES };
    const attempt = { planned: { cell: { tags: [REF] } }, image: { digest: OURS, built }, trail, settings };
    const deps = {
      random: () => 0.5,
      docker: scriptedDocker({
        run: (argv) => {
          calls.push(argv.join(" "));
          return Promise.resolve(digest(OURS));
        },
      }),
      moveTag: (ref: string, moved: string) => {
        expect([ref, moved]).toEqual([REF, OURS]);
        return Promise.resolve(isThere);
      },
    };
    const run = stage.run as unknown as (about: object, deps: object) => Promise<unknown>;
    expect(await run({ attempt, warn: () => undefined }, deps)).toBe(null);
    expect([trail.image.pushed, calls]).toEqual([true, wanted]);
  });

  it("can fail in every way that a build can, and in one of its own", () => {
    expect(stage.classes).toMatchObject({ push: "error", network: "error", "registry-denied": "error" });
    expect(new Set(Object.values(stage.classes))).toEqual(new Set(["error"]));
  });
});
