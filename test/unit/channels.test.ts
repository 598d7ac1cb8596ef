import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelsBefore } from "../../src/catalog/channel-rules.ts";
import { checkWorkspace } from "../../src/catalog/check.ts";
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
