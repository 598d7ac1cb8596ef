import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelsBefore } from "../../src/catalog/channel-rules.ts";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { cellId, tagOf } from "../../src/plan/cell-names.ts";
import { channelRef, sourceRef } from "../../src/publish/channel.ts";
import { combinationsOf } from "../../src/publish/combination.ts";
import { joinedRef } from "../../src/publish/own-name.ts";
import type { Product } from "../../src/schemas/types.ts";
import { madeCell } from "./plan-made-cells.ts";
import { makeCatalog, SMALL } from "./workspace.ts";

/** The findings of the small workspace with a product and a policy. */
function said(product: string, policy = "promotion: {requires: [smoke]}"): string[] {
  const catalog = makeCatalog({
    ...SMALL,
    "control_plane/policies/release.yaml": `schema_version: 1\npolicy_id: release\n${policy}\n`,
    "control_plane/products/demo.yaml": `schema_version: 1
product_id: demo
manifest_id: demo
repository: registry.example/public/demo
${product}
`,
  });
  return checkWorkspace(catalog).findings.map(
    ({ code, where, fix }) => `${code} ${where?.line}:${where?.col} ${fix ?? ""}`,
  );
}

describe("policies and channels of products", () => {
  it("are sound where each is there and has tags of its own", () => {
    expect(said("policy: release")).toEqual([]);
    expect(
      said(`policy: release
channels:
  candidate: {tag: "rc-{{ tag }}"}
  stable: {repository: registry.example/stable/demo, from: candidate, policy: release}`),
    ).toEqual([]);
  });

  it("are findings where there is no such policy, of the product or a channel", () => {
    expect(said("policy: relaese\nchannels: {stable: {tag: 's-{{tag}}', policy: other}}")).toEqual([
      "UNKNOWN_POLICY 5:9 did you mean `release`?",
      "UNKNOWN_POLICY 6:47 there are: `release`",
    ]);
  });

  it("say whose signature counts, where one is asked for", () => {
    const asks = "promotion: {requires: [smoke, signature]}";
    expect(said("policy: release", asks)[0]).toMatch(/^POLICY_INVALID 3:31 add `signature/);
    expect(said("policy: release", `${asks}\nsignature: {transparency_log: false}`)).toHaveLength(1);
    expect(said("policy: release", `${asks}\nsignature: {keys: [cosign.pub]}`)).toEqual([]);
    const identity = "{issuer: https://ci.example, subject: https://ci.example/team/app}";
    expect(said("policy: release", `${asks}\nsignature: {identities: [${identity}]}`)).toEqual([]);
    expect(
      said("policy: release", `${asks}\nsignature: {keys: ["-x", "http://evil.example/key"]}`),
    ).toHaveLength(2);
  });

  it("are findings where two have the same tags, however these are written", () => {
    expect(said("channels: {stable: {}}")[0]).toMatch(/^CHANNEL_INVALID 5:12 give it a repository/);
    expect(said(`channels: {a: {tag: "x{{tag}}"}, b: {tag: "x{{ tag }}"}}`)[0]).toMatch(
      /^CHANNEL_INVALID 5:34 /,
    );
  });

  it("are findings where a channel comes from none or from itself", () => {
    const at = (from: string) => `channels: {one: {tag: "1{{tag}}", from: ${from}}, two: {tag: "2{{tag}}"}}`;
    expect(said(at("too"))).toEqual(["CHANNEL_INVALID 5:41 did you mean `two`?"]);
    expect(said(at("one"))[0]).toMatch(/^CHANNEL_INVALID 5:41 remove/);
    expect(said(at("two"))).toEqual([]);
  });

  it("take no text into a tag but the published one", () => {
    for (const tag of ["stable", "{{tag}}{{tag}}", "a b{{tag}}", "{{version}}", "x:{{tag}}"])
      expect(said(`channels: {stable: {tag: ${JSON.stringify(tag)}}}`), tag).not.toEqual([]);
  });

  it("have a policy document that says what it may", () => {
    expect(said("", "promotion: {requires: [smoke, luck]}")[0]).toMatch(/^SCHEMA 3:/);
    expect(said("", "promotion: {max_age_days: 0}")[0]).toMatch(/^SCHEMA 3:/);
    expect(said("", "policy: {}")[0]).toMatch(/3:/);
  });
});

describe("channelsBefore", () => {
  it("ends for any mapping, and is null exactly where the way has a circle", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e");
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.record({ from: name }, { requiredKeys: [] })),
        name,
        (all, start) => {
          const way = channelsBefore(all, start);
          const seen = [start];
          while (seen.length <= 6) {
            const next = all[seen.at(-1) ?? ""]?.from;
            if (next === undefined) break;
            seen.push(next);
          }
          expect(way === null).toBe(seen.length > 6);
          if (way !== null) expect([start, ...way]).toEqual(seen);
        },
      ),
    );
  });
});

describe("the tags of a channel", () => {
  const product: Product = {
    schema_version: 1,
    product_id: "demo",
    manifest_id: "demo",
    repository: "registry.example:5000/demo",
    channels: {
      candidate: { tag: "rc-{{ tag }}" },
      stable: { repository: "other.example/stable/demo", from: "candidate" },
      dollar: { tag: "a{{tag}}.b" },
    },
  };
  const ref = "registry.example:5000/demo:3.13";

  it("are called as the channel says", () => {
    expect(channelRef(product, "candidate", ref)).toBe("registry.example:5000/demo:rc-3.13");
    expect(channelRef(product, "stable", ref)).toBe("other.example/stable/demo:3.13");
    expect(channelRef(product, "dollar", ref)).toBe("registry.example:5000/demo:a3.13.b");
  });

  it("come from the channel before it, or from what is published", () => {
    expect(sourceRef(product, "candidate", ref)).toBe(ref);
    expect(sourceRef(product, "stable", ref)).toBe("registry.example:5000/demo:rc-3.13");
  });
});

describe("joinedRef", () => {
  const platforms = ["linux/amd64", "linux/arm64"];

  it("is one name for all platforms of a combination, and another one for each combination", () => {
    const catalog = makeCatalog();
    const version = fc.stringMatching(/^[0-9]\.[0-9]\.[0-9](-[a-z0-9]{1,60})?$/);
    fc.assert(
      fc.property(fc.uniqueArray(version, { minLength: 1, maxLength: 4 }), (versions) => {
        const cells = versions.flatMap((core) =>
          platforms.map((platform) => {
            const id = cellId(
              "demo",
              [
                ["core", core],
                ["app", core],
              ],
              platform,
            );
            const tags = [`registry.example/demo:${tagOf(id.slice("demo.".length))}`];
            const fragments = { core, app: core };
            return { ...madeCell({ fragments, platform }).cell, cell_id: id, tags };
          }),
        );
        const all = combinationsOf(catalog, { manifest_id: "demo" }, cells);
        expect(all).toHaveLength(versions.length);
        const refs = all.map(joinedRef);
        expect(new Set(refs).size).toBe(versions.length);
        for (const one of refs) {
          expect(one).toMatch(/^registry\.example\/demo:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
          expect(cells.flatMap(({ tags }) => tags)).not.toContain(one);
          expect(one).not.toMatch(/amd64|arm64/);
        }
      }),
    );
  });

  it("has a name for a manifest by itself", () => {
    const cells = platforms.map((platform) => {
      const id = cellId("demo", [], platform);
      const tags = [`registry.example/demo:${id.slice("demo.".length)}`];
      return { ...madeCell({ fragments: { core: "0.1.0" }, platform }).cell, cell_id: id, tags };
    });
    const [one] = combinationsOf(makeCatalog(), { manifest_id: "demo" }, cells);
    expect(one && joinedRef(one)).toBe("registry.example/demo:all-platforms");
  });
});
