import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { smokeTest } from "../../src/smoke/smoke.ts";
import {
  buildService,
  buildUpon,
  containersOf,
  deps,
  removeImages,
  requestFor,
} from "../fixtures/smoke/service.ts";
import { describeEngine, docker, registry, uniqueName } from "./engine.ts";

describeEngine("smoke tests of real services", () => {
  let image = "";
  let built = "";
  let folder = "";
  beforeAll(() => {
    built = buildService();
    // Its arguments are what the shell runs: another program by each `argv`.
    image = buildUpon(built, 'ENTRYPOINT ["/bin/sh", "-c"]\nCMD ["exec httpd -f -p 8080 -h /srv"]');
    folder = mkdtempSync(join(tmpdir(), "factory-scripts-"));
  });
  afterAll(() => {
    removeImages([image, built]);
    rmSync(folder, { recursive: true, force: true });
  });

  const SCRIPT = '#!/bin/sh\necho "run by $0 with $1"\necho x > "$0" || echo read-only\n';

  async function smoke(tests: Parameters<typeof requestFor>[1]) {
    const request = {
      ...requestFor(image, tests),
      scripts: { text: () => SCRIPT, folder: () => folder },
    };
    const report = await smokeTest(request, deps);
    const networks = docker([
      "network",
      "ls",
      "--quiet",
      "--filter",
      `label=io.factory.owner=${request.owner}`,
    ]);
    expect([containersOf(request.owner), networks]).toEqual([[], ""]);
    return Object.fromEntries(report.tests.map((test) => [test.id.slice(2), test]));
  }

  const shell = (text: string) => ({ argv: ["/bin/sh", "-c", text] });
  const peer = {
    argv: ["echo up; exec httpd -f -p 80 -h /srv"],
    wait_for: { log: { matches: "^up$" } },
  };

  it("have the container that they declare", async () => {
    const results = await smoke([
      {
        id: "settled",
        env: { WHO: "the test" },
        user: "7:8",
        memory_mb: 32,
        shm_mb: 3,
        tmpfs: ["/data"],
        command: {
          ...shell(
            "echo $WHO $(id -u):$(id -g); df -k /dev/shm | tail -1 | awk '{print $2}'; echo a > /data/a",
          ),
          stdout: { equals: "the test 7:8\n3072" },
        },
      },
      {
        id: "script",
        script: {
          path: "tests/x.sh",
          args: ["two words"],
          stdout: { contains: "run by /run/factory/tests/x.sh with two words" },
        },
      },
      {
        id: "read-only",
        script: { path: "tests/x.sh", interpreter: ["/bin/sh"], stdout: { contains: "read-only" } },
      },
      { id: "writes", command: shell("echo kept > /tmp/a") },
      {
        id: "reads",
        after: "writes",
        user: "0",
        command: { ...shell("cat /tmp/a; id -u"), stdout: { equals: "kept\n0" } },
      },
    ]);
    expect(Object.values(results).filter(({ status }) => status !== "pass")).toEqual([]);
    expect(results.settled?.loosened).toEqual(["user 7:8", "writable /data"]);
  });

  it("talk to services beside them, and to nobody else", async () => {
    const services = { web: peer };
    const results = await smoke([
      {
        id: "asks",
        services,
        command: { ...shell("wget -q -O - http://web/"), stdout: { equals: "hello" } },
      },
      { id: "nowhere-else", services, command: { ...shell("ip route | grep -c default"), exit_code: 1 } },
      {
        id: "service",
        services,
        env: { GREETING: "set" },
        wait_for: { path: "/" },
        http: { port: 8080, path: "/", response: { equals: "hello" } },
      },
      {
        id: "inside",
        env: { GREETING: "set" },
        http: { port: 8080, path: "/" },
      },
      {
        id: "process",
        after: "inside",
        command: { ...shell("echo $GREETING; ps | grep -c [h]ttpd"), stdout: { matches: "^set\\n[1-9]" } },
      },
      { id: "alone", command: { ...shell("ls /sys/class/net"), stdout: { equals: "lo" } } },
    ]);
    expect(Object.values(results).filter(({ status }) => status !== "pass")).toEqual([]);
    expect(results.asks?.loosened).toEqual(["network with web (the same image)"]);
  });

  it("pull a pinned service, and are an error where one never gets ready", async () => {
    const ref = `${registry}/${uniqueName("peer")}:1`;
    docker(["tag", image, ref]);
    let pinned = "";
    try {
      docker(["push", "--quiet", ref]);
      const [digest = ""] = JSON.parse(
        docker(["image", "inspect", "--format", "{{json .RepoDigests}}", ref]),
      ) as string[];
      pinned = digest.startsWith(registry) ? digest : `${ref}@${digest.split("@")[1] ?? ""}`;
    } finally {
      docker(["image", "rm", ref]);
    }
    try {
      const results = await smoke([
        {
          id: "asks",
          services: { web: { ...peer, image: pinned } },
          command: { ...shell("wget -q -O - http://web/"), stdout: { equals: "hello" } },
        },
        {
          id: "never",
          timeout_s: 2,
          services: { web: { ...peer, image: pinned, wait_for: { command: ["false"] } } },
          command: shell("true"),
        },
        {
          id: "broken",
          timeout_s: 60,
          services: {
            web: { argv: ["echo broken; exit 4"], wait_for: { log: { contains: "up" } } },
          },
          command: shell("true"),
        },
      ]);
      expect(results.asks?.status).toBe("pass");
      expect(results.never).toMatchObject({ status: "error" });
      expect(results.never?.actual).toMatch(/^not within 2 s: /);
      expect(results.broken).toMatchObject({ status: "fail" });
      expect(results.broken?.actual).toMatch(/exited with 4; last lines "broken"/);
    } finally {
      if (pinned) spawnSync("docker", ["image", "rm", "--force", pinned], { stdio: "ignore" });
    }
  });
});
