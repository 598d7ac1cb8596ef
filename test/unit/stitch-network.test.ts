import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NetworkName } from "../../src/model/secret.ts";
import { parseDockerfile } from "../../src/stitch/dockerfile.ts";
import { networkOf, withNetwork, withoutNetwork } from "../../src/stitch/network.ts";
import { secretUses } from "../../src/stitch/secret-uses.ts";
import { takeFlags } from "../../src/stitch/words.ts";

const NO_PROXY =
  "--mount=type=secret,id=factory_no_proxy,env=no_proxy --mount=type=secret,id=factory_no_proxy,env=NO_PROXY";

describe("a Dockerfile whose steps reach the network", () => {
  it("mounts it in each RUN, and changes nothing else", () => {
    const text = [
      "# RUN nothing",
      "FROM debian AS base",
      "RUN a && \\",
      "  RUN b",
      "  run --network=none c",
      "RUN <<END",
      "RUN d",
      "END",
      "RUN\\",
      "  e",
      'RUN ["f", "g"]',
      "ONBUILD RUN h",
      "COPY x RUN",
    ].join("\n");
    expect(withNetwork(text, ["no"]).split("\n")).toEqual([
      "# RUN nothing",
      "FROM debian AS base",
      `RUN ${NO_PROXY} a && \\`,
      "  RUN b",
      `  run ${NO_PROXY} --network=none c`,
      `RUN ${NO_PROXY} <<END`,
      "RUN d",
      "END",
      `RUN ${NO_PROXY} \\`,
      "  e",
      `RUN ${NO_PROXY} ["f", "g"]`,
      "ONBUILD RUN h",
      "COPY x RUN",
    ]);
  });

  it("is the same whatever order the names have, and the same text without any", () => {
    const text = "FROM x\nRUN y\n";
    expect(withNetwork(text, [])).toBe(text);
    expect(withNetwork(text, ["ca", "http"])).toBe(withNetwork(text, ["http", "ca"]));
    expect(networkOf(text)).toEqual([]);
    expect(networkOf(withNetwork(text, ["ca", "no"]))).toEqual(["no", "ca"]);
  });

  it("has variables for the certificates that name a file which every user can read", () => {
    const [{ rest = "" } = {}] = parseDockerfile(withNetwork("RUN x", ["ca"]));
    const [file, ...variables] = takeFlags(rest).flags;
    expect(file).toBe("--mount=type=secret,id=factory_ca,target=/run/secrets/factory_ca,mode=0444");
    expect(variables).toContain("--mount=type=secret,id=factory_ca_path,env=SSL_CERT_FILE");
    expect(takeFlags(rest).rest).toBe("x");
  });

  it("property: each step keeps its words and its own mounts, and names are read back", () => {
    const names = fc.subarray<NetworkName>(["http", "https", "no", "ca"]);
    const step = fc.constantFrom(
      "RUN true",
      "RUN --mount=type=secret,id=a true",
      "run --mount=type=ssh \\\n  true",
      "RUN <<E\nRUN true\nE",
      "COPY a b",
      "ENV A=RUN\\ b",
    );
    fc.assert(
      fc.property(names, fc.array(step, { maxLength: 6 }), (given, steps) => {
        const text = ["FROM x", ...steps].join("\n");
        const there = withNetwork(text, given);
        const before = parseDockerfile(text);
        const after = parseDockerfile(there);
        expect(after.map(({ keyword, line, end }) => [keyword, line, end])).toEqual(
          before.map(({ keyword, line, end }) => [keyword, line, end]),
        );
        expect(after.map(({ rest }) => takeFlags(rest).rest)).toEqual(
          before.map(({ rest }) => takeFlags(rest).rest),
        );
        const own = secretUses(after).filter(({ id }) => !id.startsWith("factory_"));
        expect(own).toEqual(secretUses(before));
        const runs = before.some(({ keyword }) => keyword === "RUN");
        expect(networkOf(there)).toEqual(runs ? given : []);
      }),
    );
  });
});

it("is left out of what is shown of a step", () => {
  const name = "[app 1/2] RUN --mount=type=secret,id=a true && echo RUN  b";
  const [, title = ""] = /^(.*)$/s.exec(withNetwork(name.slice(10), ["http", "https", "no", "ca"])) ?? [];
  expect(title).toContain("factory_ca");
  expect(withoutNetwork(`[app 1/2] ${title}`)).toBe(name);
  expect(withoutNetwork("RUN echo id=factory_x  y")).toBe("RUN echo id=factory_x  y");
});
