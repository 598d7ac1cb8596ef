import { afterAll, beforeAll, expect, it } from "vitest";
import { removeOrphans } from "../../src/smoke/containers.ts";
import { smokeTest } from "../../src/smoke/smoke.ts";
import {
  buildService,
  buildUpon,
  containersOf,
  deps,
  removeImages,
  requestFor,
  smoke,
} from "../fixtures/smoke/service.ts";
import { describeEngine, docker, uniqueName } from "./engine.ts";

describeEngine("containers of smoke tests", () => {
  const images: string[] = [];
  let service = "";
  const variant = (instructions: string) => {
    const image = buildUpon(service, instructions);
    images.push(image);
    return image;
  };
  beforeAll(() => {
    service = buildService();
    images.push(service);
  });
  afterAll(() => removeImages(images));

  const index = { id: "index", http: { port: 8080, path: "/" } };
  const sleeps = { id: "sleeps", command: { argv: ["sleep", "300"] } };

  it("wait for a service that starts late", async () => {
    const image = variant('ENTRYPOINT ["/bin/sh", "-c", "sleep 1; exec httpd -f -p 8080 -h /srv"]');
    const { status, results, left } = await smoke(image, [index]);
    expect({ status, left }).toEqual({ status: "pass", left: [] });
    expect(results.index?.duration_ms).toBeGreaterThan(1000);
  });

  it("notice at once a service that crashes at its start", async () => {
    const image = variant('ENTRYPOINT ["/bin/sh", "-c", "echo no config >&2; exit 7"]');
    const { status, results, left } = await smoke(image, [index, { ...index, id: "again" }]);
    expect({ status, left }).toEqual({ status: "fail", left: [] });
    expect(results.index?.actual).toBe('the container exited with 7; last lines "no config"');
    expect(results.again?.actual).toContain("exited with 7");
    expect(results.index?.duration_ms).toBeLessThan(30_000);
  });

  it("tell when a service dies between two requests", async () => {
    const die = { id: "die", http: { port: 8080, path: "/cgi-bin/die" } };
    const { results, left } = await smoke(service, [index, die, { ...index, id: "again" }]);
    expect(results.index?.status).toBe("pass");
    expect(results.again).toMatchObject({ status: "fail" });
    expect(results.again?.actual).toContain("exited with 9");
    expect(left).toEqual([]);
  });

  it("give the service's end where the image has no such program", async () => {
    const image = variant('ENTRYPOINT ["/bin/none"]');
    const { status, results, left } = await smoke(image, [index]);
    expect({ status, left }).toEqual({ status: "fail", left: [] });
    expect(results.index?.actual).toContain("no such file or directory");
  });

  it("are an error where the engine refuses them", async () => {
    const request = { ...requestFor(service, [index, sleeps]), platform: "linux/s390x" };
    await expect(smokeTest(request, deps)).rejects.toMatchObject({ exitCode: 3 });
    expect(containersOf(request.owner)).toEqual([]);
  });

  it("are gone after an interruption, at the first result and in the midst of running", async () => {
    const config = { id: "config", config: { user: "" } };
    for (const stopAt of ["t/config", "t/index"]) {
      const interrupt = new AbortController();
      const request = {
        ...requestFor(service, [
          index,
          { ...index, id: "more", http: { port: 8099, path: "/" } },
          sleeps,
          config,
        ]),
        signal: interrupt.signal,
        onProgress: (_done: number, _total: number, id: string) => {
          if (id === stopAt) interrupt.abort();
        },
      };
      await expect(smokeTest(request, deps)).rejects.toMatchObject({ code: "INTERRUPTED" });
      expect(containersOf(request.owner)).toEqual([]);
    }
  });

  it("of a killed process are swept by their owner", async () => {
    const [dead, alive] = [uniqueName("dead"), uniqueName("alive")];
    for (const owner of [dead, alive]) {
      docker([
        "run",
        "--detach",
        "--label",
        `io.factory.owner=${owner}`,
        "--entrypoint",
        "/bin/sleep",
        service,
        "300",
      ]);
    }
    const stateOf = (owner: string) => (owner === dead ? "dead" : owner === alive ? "alive" : "unknown");
    await removeOrphans(deps.docker, stateOf);
    expect(containersOf(dead)).toEqual([]);
    expect(containersOf(alive)).toHaveLength(1);
    await removeOrphans(deps.docker, (owner) => (owner === alive ? "dead" : "unknown"));
    expect(containersOf(alive)).toEqual([]);
  });
});
