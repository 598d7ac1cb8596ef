import { afterAll, beforeAll, expect, it } from "vitest";
import { buildService, removeImages, smoke } from "../fixtures/smoke/service.ts";
import { describeEngine } from "./engine.ts";

describeEngine("smoke tests of an image", () => {
  let image = "";
  beforeAll(() => {
    image = buildService();
  });
  afterAll(() => removeImages([image]));

  it("pass where everything is as declared, in the declared order, and leave nothing behind", async () => {
    const { status, results, left } = await smoke(image, [
      {
        id: "greets",
        command: {
          argv: ["/bin/sh", "-c", "echo $GREETING; echo e >&2"],
          stdout: { equals: "hi" },
          stderr: { equals: "e" },
        },
      },
      { id: "fails", command: { argv: ["false"], exit_code: 1 } },
      { id: "index", http: { port: 8080, path: "/", response: { equals: "hello" } } },
      { id: "folder", http: { port: 8080, path: "/sub", status: 302 } },
      {
        id: "posts",
        http: {
          port: 8080,
          method: "POST",
          path: "/cgi-bin/echo",
          body: "data",
          response: { equals: "POST data" },
        },
      },
      {
        id: "key",
        file: { path: "/etc/own/key", mode: "0640", owner: "12:34", contents: { equals: "secret" } },
      },
      { id: "hard-link", file: { path: "/etc/own/second", owner: "12", contents: { contains: "secret" } } },
      { id: "setuid", file: { path: "/bin/setuid", mode: "4755" } },
      { id: "through-link", file: { path: "/etc/link/key", mode: "640" } },
      { id: "dangling", file: { path: "/etc/dangling/", mode: "0777" } },
      { id: "absent", file: { path: "/etc/own/none", exists: false } },
      { id: "below-file", file: { path: "/etc/own/key/none", exists: false } },
      { id: "binary", file: { path: "/etc/binary", contents: { matches: "^a.b$" } } },
      { id: "root", file: { path: "/" } },
      {
        id: "config",
        config: {
          env: { GREETING: "hi" },
          ports: ["8080"],
          labels: { "org.opencontainers.image.title": "service" },
        },
      },
      { id: "budget", budget: { size: "20 MB", layers: 3 } },
    ]);
    const notPassed = Object.values(results).filter((test) => test.status !== "pass");
    expect(notPassed).toEqual([]);
    expect(status).toBe("pass");
    expect(Object.keys(results).slice(0, 3)).toEqual(["greets", "fails", "index"]);
    expect(left).toEqual([]);
  });

  it("collect every failure and tell what differed", async () => {
    const { status, results, left } = await smoke(image, [
      { id: "exit", command: { argv: ["/bin/sh", "-c", "echo why >&2; exit 3"] } },
      { id: "missing", command: { argv: ["/bin/none"] } },
      { id: "flood", command: { argv: ["yes"] } },
      { id: "slow", timeout_s: 1, command: { argv: ["sleep", "300"] } },
      { id: "hungry", command: { argv: ["dd", "if=/dev/zero", "of=/tmp/a", "bs=100M", "count=1"] } },
      { id: "status", http: { port: 8080, path: "/none" } },
      { id: "closed", timeout_s: 1, http: { port: 8081, path: "/" } },
      { id: "file", file: { path: "/etc/own/key", mode: "0644", owner: "0", contents: { equals: "other" } } },
      { id: "link", file: { path: "/etc/link", contents: { contains: "x" } } },
      { id: "there", file: { path: "/etc/own", exists: false } },
      { id: "size", budget: { size: "1 kB", layers: 1 } },
    ]);
    expect(status).toBe("fail");
    expect(Object.values(results).map((test) => test.status)).toEqual(Array(11).fill("fail"));
    const actual = (id: string) => results[id]?.actual;
    expect(actual("exit")).toBe('exited with 3; stdout ""; stderr "why\\n"');
    expect(actual("missing")).toContain("no such file or directory");
    expect(actual("flood")).toContain("more than 1 MiB");
    expect(actual("slow")).toContain("did not end within 1 s");
    expect(actual("hungry")).toContain("more than 64 MiB of memory");
    expect(actual("status")).toContain("status 404");
    expect(actual("closed")).toContain("no answer within 1 s");
    expect(actual("file")).toBe('mode 0640; owner 12; its contents is "secret\\n"');
    expect(actual("link")).toBe('it is a symbolic link to "/etc/own"');
    expect(actual("there")).toBe("it is a directory");
    expect(actual("size")).toMatch(/^3 layers; [1-9]\d*\.\d MB \(\d+ bytes\)$/);
    expect(left).toEqual([]);
  });

  it("run confined: no capabilities, no new privileges, no network, nothing but /tmp to write to", async () => {
    const sh = (id: string, script: string, stdout: string) => ({
      id,
      command: { argv: ["/bin/sh", "-c", script], stdout: { matches: stdout } },
    });
    const { results } = await smoke(image, [
      sh(
        "capabilities",
        "grep -E 'Cap(Eff|Bnd)' /proc/self/status | sort -u",
        "^CapBnd:\\s0+\\nCapEff:\\s0+\\n$",
      ),
      sh("privileges", "grep NoNewPrivs /proc/self/status", "1$"),
      sh("network", "ls /sys/class/net", "^lo\\n$"),
      sh("root", "echo a > /srv/a 2>&1 || echo refused", "refused"),
      sh("tmp", "echo a > /tmp/a && cat /tmp/a", "^a$"),
      // One beside the 64 of the limit: the process that holds the container.
      sh("processes", "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; true", "^65$"),
    ]);
    expect(Object.values(results).filter((test) => test.status !== "pass")).toEqual([]);
  });
});
