import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildxPlugin, throughPlugin } from "../../src/tools/buildx-plugin.ts";
import type { Exec } from "../../src/tools/exec.ts";
import { temporaryFolder } from "./workspace.ts";

const ELF = Buffer.from("7f454c4602010100", "hex");

function program(path: string, content: string | Buffer = "#!/bin/sh\n"): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

/** A machine with docker as a program, without any plugin. */
function machine() {
  const root = temporaryFolder();
  const config = join(root, "config");
  const system = [join(root, "local"), join(root, "system")];
  mkdirSync(config);
  const docker = program(join(root, "bin", "docker"), ELF);
  const env = { PATH: dirname(docker), DOCKER_CONFIG: config };
  const plugin = (folder: string) => program(join(folder, "docker-buildx"));
  const settings = (value: unknown) =>
    writeFileSync(join(config, "config.json"), typeof value === "string" ? value : JSON.stringify(value));
  return { root, config, system, docker, env, plugin, settings, find: () => buildxPlugin(env, system) };
}

describe("the program of the buildx plugin", () => {
  it("is looked for where docker looks, in its order", () => {
    const { find, plugin, system, config, root, settings } = machine();
    expect(find()).toBeUndefined();
    const last = plugin(system[1] ?? "");
    expect(find()).toBe(last);
    const first = plugin(system[0] ?? "");
    expect(find()).toBe(first);
    const own = plugin(join(config, "cli-plugins"));
    expect(find()).toBe(own);
    settings({ cliPluginsExtraDirs: [join(root, "extra")] });
    expect(find()).toBe(own);
    const extra = plugin(join(root, "extra"));
    expect(find()).toBe(extra);
  });

  it("passes over a link that leads nowhere, as docker does", () => {
    const { find, plugin, system, config } = machine();
    mkdirSync(join(config, "cli-plugins"));
    symlinkSync("/nowhere/docker-buildx", join(config, "cli-plugins", "docker-buildx"));
    const there = plugin(system[0] ?? "");
    expect(find()).toBe(there);
  });

  it("is docker's to find where docker itself is a script", () => {
    const { find, plugin, system, docker } = machine();
    plugin(system[0] ?? "");
    program(docker, '#!/bin/sh\nexec sudo /usr/bin/docker "$@"\n');
    expect(find()).toBeUndefined();
  });

  it("is docker's to find where `docker` is another program by another name", () => {
    const { find, plugin, system, docker, root, env } = machine();
    plugin(system[0] ?? "");
    const other = program(join(root, "snap", "snap"), ELF);
    const folder = join(root, "links");
    mkdirSync(folder);
    symlinkSync(other, join(folder, "docker"));
    env.PATH = `${folder}:${dirname(docker)}`;
    expect(find()).toBeUndefined();
    env.PATH = `${dirname(docker)}:${folder}`;
    expect(find()).toBeDefined();
  });

  it("is docker's to find where the settings cannot be read as docker reads them", () => {
    const { find, plugin, system, settings } = machine();
    plugin(system[0] ?? "");
    for (const odd of ["{", { cliPluginsExtraDirs: "here" }, { cliPluginsExtraDirs: ["plugins"] }, "null"]) {
      settings(odd);
      expect(find()).toBeUndefined();
    }
    settings({ auths: {} });
    expect(find()).toBeDefined();
  });

  it("is docker's to complain about where nobody may run it", () => {
    const { find, plugin, system, docker, env } = machine();
    chmodSync(plugin(system[0] ?? ""), 0o644);
    plugin(system[1] ?? "");
    expect(find()).toBeUndefined();
    env.PATH = "bin";
    expect(find()).toBeUndefined();
    expect(docker).toContain("/bin/docker");
  });
});

describe("docker buildx", () => {
  const calls: string[][] = [];
  const exec: Exec = (file, argv) => {
    calls.push([file, ...argv]);
    return Promise.resolve({ exitCode: 0, stdout: "", stderr: "", timedOut: false, aborted: false });
  };

  it("is the plugin where that is found, and docker for everything else", async () => {
    const { env, plugin, config } = machine();
    const own = plugin(join(config, "cli-plugins"));
    const through = throughPlugin(exec, env);
    calls.length = 0;
    await through("docker", ["buildx", "bake", "--", "a"]);
    await through("docker", ["version"]);
    await through("git", ["buildx"]);
    expect(calls).toEqual([
      [own, "bake", "--", "a"],
      ["docker", "version"],
      ["git", "buildx"],
    ]);
  });

  it("is docker's command line where there is a doubt", async () => {
    const through = throughPlugin(exec, { PATH: "/nonexistent" });
    calls.length = 0;
    await through("docker", ["buildx", "version"]);
    expect(calls).toEqual([["docker", "buildx", "version"]]);
  });
});
