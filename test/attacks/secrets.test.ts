import { spawnSync } from "node:child_process";
import { realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { handOver } from "../../src/builder/handover.ts";
import { createMask } from "../../src/model/mask.ts";
import type { DeclaredSource } from "../../src/model/secret.ts";
import { createHclWriter } from "../../src/plan/formats/hcl.ts";
import { exec } from "../../src/tools/exec.ts";
import { obtainSecret } from "../../src/tools/secret-source.ts";
import { factory, type Files, makeWorkspace, SMALL, temporaryFolder } from "../unit/workspace.ts";

const YAML = "fragments/core/0.1.1/fragment.yaml";
const BODY = "fragments/core/0.1.1/Dockerfile.hbs";

const withCore = (body: string, fields: string, settings = ""): Files => ({
  [YAML]: `${SMALL[YAML]}${fields}`,
  [BODY]: `${body}\n`,
  "factory.yaml": `${SMALL["factory.yaml"]}${settings}`,
});

function validate(root: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = factory(root, ["validate"]);
  return { status, text: `${stdout}${stderr}` };
}

describe("a fragment of someone else", () => {
  it("8.2 gets no secret that is for others, whatever its contract says", () => {
    const used = withCore(
      "RUN --mount=type=secret,id=a true",
      "secrets: [a]\n",
      "secrets: {a: {env: A, for: [app]}}\n",
    );
    const { status, text } = validate(makeWorkspace(used));
    expect(status).toBe(2);
    expect(text).toContain("error SECRET_UNKNOWN: the secret `a` is not for core@0.1.1");
  });

  it.each([
    "RUN --mount=type=secret,id=a true",
    "RUN --mount=type=SECRET,ID=a true",
    'RUN --mount="type=secret,id=a" true',
    "RUN --mount=id=a,type=secret true",
    "RUN --mount=type=secret,id=own,source=a true",
    "RUN --mount=type=secret,target=/run/a true",
    "RUN --mount=type=secret,dst=/run/a true",
    "RUN --mount=type=bind,type=secret,id=own,id=a true",
    "RUN \\\n  --network=none --mount=type=cache,target=/c \\\n  --mount=type=secret,id=a true",
    "ONBUILD RUN --mount=type=secret,id=a true",
    "run --mount=type=secret,id=a <<END\ntrue\nEND",
  ])("8.2 takes none without declaring it: %j", (body) => {
    const both = `RUN --mount=type=secret,id=own true\n${body}`;
    const root = makeWorkspace(withCore(both, "secrets: [own]\n", "secrets: {a: {env: A}, own: {env: B}}\n"));
    const { status, text } = validate(root);
    expect(status).toBe(2);
    expect(text).toContain("error SECRET_UNDECLARED: a step mounts the secret `a`");
  });

  it.each(["../x", "a,src=/etc/shadow", "${env.HOME}", "a\nb", "a b", 'a"', "factory_ca", ""])(
    "8.2 has no id that means something to a bake file or a path: %j",
    (id) => {
      const list = JSON.stringify([id]);
      const root = makeWorkspace(
        withCore("RUN true", `secrets: ${list}\n`, `secrets: {${JSON.stringify(id)}: {env: A}}\n`),
      );
      const { status, text } = validate(root);
      expect(status).toBe(2);
      expect(text).toContain(`at ${YAML}:6:`);
      expect(text).toContain("at factory.yaml:4:");
    },
  );
});

describe("the file of a secret", () => {
  const obtain = (file: string, root: string) => {
    const declared: DeclaredSource = {
      source: { file },
      only: null,
      mayLeave: false,
      where: { file: "factory.yaml" },
    };
    return obtainSecret("it", declared, { env: {}, exec, root });
  };

  it("8.2 may be a pipe that nobody writes to, or a device that never ends: neither is waited for", async () => {
    const root = realpathSync(temporaryFolder());
    spawnSync("mkfifo", [join(root, "pipe")]);
    for (const file of ["pipe", "/dev/zero", "/dev/stdin", root])
      await expect(obtain(file, root)).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });

  it("8.2 is no link out of the workspace, which a change of the repository could bring", async () => {
    const outside = realpathSync(temporaryFolder());
    writeFileSync(join(outside, "id_ed25519"), "a key");
    const root = realpathSync(temporaryFolder());
    symlinkSync(join(outside, "id_ed25519"), join(root, "token"));
    await expect(obtain("token", root)).rejects.toMatchObject({ code: "FILE_OUTSIDE" });
  });

  it("8.2 has a name that a bake takes for nothing but a name", () => {
    const path = '/x,type=file,id=b,src=/etc/shadow"${env.HOME}';
    const { set } = handOver([{ target: "t", secrets: [{ kind: "secret", id: "a", value: "v", path }] }]);
    expect(set).toEqual(['t.secrets=type=file,id=a,"src=/x,type=file,id=b,src=/etc/shadow""${env.HOME}"']);
  });

  it("8.2 of factory.local.yaml may be a pipe or a link out: validate says so, and ends", () => {
    const root = makeWorkspace();
    spawnSync("mkfifo", [join(root, "factory.local.yaml")]);
    expect(validate(root).text).toContain(
      "error FILE_UNREADABLE: `factory.local.yaml`: is a device, pipe or socket",
    );
    rmSync(join(root, "factory.local.yaml"));
    symlinkSync("/etc/hostname", join(root, "factory.local.yaml"));
    expect(validate(root).text).toContain(
      "error FILE_OUTSIDE: `factory.local.yaml`: leads out of the workspace",
    );
  });
});

describe("a value", () => {
  it("8.2 is given to no program as an argument, nor written into a bake file", () => {
    const value = 'v4lue-${x}-"%{y}"-of-a-secret';
    const { set, read, env } = handOver([
      { target: "t", secrets: [{ kind: "secret", id: "a", value, path: null }] },
    ]);
    expect(JSON.stringify({ set, read })).not.toContain("v4lue");
    expect(env).toEqual({ FACTORY_SECRET_a: value });
    const hcl = createHclWriter();
    hcl.block("target", "t", { secret: ["type=env,id=${x},env=A"] });
    expect(hcl.text()).toContain("id=$${x}");
  });

  it("8.2 of many equal characters, or like the words of a log, costs no time and no text", () => {
    const mask = createMask();
    mask.hide("a".repeat(100_000));
    mask.hide("RUN apt-get update");
    const start = performance.now();
    expect(mask("a".repeat(200_000))).toBe("***");
    expect(mask("b".repeat(200_000))).toBe("b".repeat(200_000));
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(mask("RUN apt-get upgrade")).toBe("RUN apt-get upgrade");
  });
});
