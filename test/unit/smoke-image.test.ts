import { describe, expect, it } from "vitest";
import type { ConfigTest } from "../../src/schemas/types.ts";
import { config as configKind } from "../../src/smoke/kinds/config.ts";
import type { Tools } from "../../src/smoke/kinds/kind.ts";
import type { ImageInspect } from "../../src/tools/docker.ts";
import { NO_SCRIPTS } from "./no-scripts.ts";

const image: ImageInspect = {
  Id: "sha256:0",
  Architecture: "amd64",
  Os: "linux",
  Size: 1,
  Config: {
    User: "10:10",
    WorkingDir: "",
    Entrypoint: ["/app", "--x"],
    Cmd: null,
    Env: ["PATH=/bin", "EMPTY=", "EQ=a=b"],
    Labels: { a: "1" },
    ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
  },
};

const test = (config: ConfigTest, of: ImageInspect = image) =>
  configKind.run(configKind.form(config, NO_SCRIPTS.text), { image: of } as unknown as Tools, 1000);

describe("the kind config", () => {
  const holds: ConfigTest[] = [
    { user: "10:10" },
    { workdir: "/" },
    { entrypoint: ["/app", "--x"] },
    { cmd: [] },
    { env: { PATH: "/bin", EMPTY: "", EQ: "a=b" } },
    { labels: { a: "1" } },
    { ports: ["8080", "53/udp"] },
  ];
  it.each(holds)("holds: %j", async (config) => expect((await test(config)).status).toBe("pass"));

  const differs: [ConfigTest, string][] = [
    [{ user: "10" }, 'user "10:10"'],
    [{ workdir: "/srv" }, 'workdir "/"'],
    [{ entrypoint: ["/app --x"] }, 'entrypoint ["/app", "--x"]'],
    [{ cmd: ["a"] }, "cmd []"],
    [{ env: { PATH: "/sbin" } }, 'variable "PATH" is "/bin"'],
    [{ env: { NONE: "" } }, 'variable "NONE" is not set'],
    [{ labels: { b: "1" } }, 'label "b" is not set'],
    [{ labels: { toString: "1" } }, 'label "toString" is not set'],
    [{ ports: ["8080"] }, 'ports ["53/udp", "8080/tcp"]'],
  ];
  it.each(differs)("differs: %j", async (config, actual) => {
    expect(await test(config)).toMatchObject({ status: "fail", actual });
  });

  it("tells all differences at once", async () => {
    const { actual } = await test({ user: "a", cmd: ["b"], workdir: "/" });
    expect(actual).toBe('user "10:10"; cmd []');
  });

  it("takes an image without configuration", async () => {
    const bare = { ...image, Config: undefined };
    expect((await test({ user: "", ports: [], env: {} }, bare)).status).toBe("pass");
  });
});
