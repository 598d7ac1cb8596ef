import fc from "fast-check";
import { PackageURL } from "packageurl-js";
import { describe, expect, it } from "vitest";
import { parseReference, subjectOf, subjectPurl } from "../../src/model/subject.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;

describe("subjectOf", () => {
  it.each([
    ["demo", "demo"],
    ["demo:1.0", "demo"],
    ["127.0.0.1:5000/factory/demo:core-0.1.0.linux-amd64", "127.0.0.1:5000/factory/demo"],
    [`127.0.0.1:5000/factory/demo:1@${OTHER}`, "127.0.0.1:5000/factory/demo"],
    ["localhost/a", "localhost/a"],
    [OTHER, null],
    ["b".repeat(64), null],
  ])("%s is of the repository %s", (ref, repository) => {
    expect(subjectOf(ref, DIGEST, "linux/amd64")).toEqual({
      repository,
      manifest_digest: DIGEST,
      platform: "linux/amd64",
    });
  });

  it("is the same whatever tag or digest the reference has", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9_][a-zA-Z0-9_.-]{0,20}$/), (tag) => {
        const repository = "127.0.0.1:5000/factory/demo";
        const names = [repository, `${repository}:${tag}`, `${repository}:${tag}@${OTHER}`].map((ref) =>
          subjectPurl(subjectOf(ref, DIGEST, "linux/amd64")),
        );
        expect(new Set(names).size).toBe(1);
      }),
    );
  });
});

describe("subjectPurl", () => {
  it("names repository, manifest digest and architecture", () => {
    const purl = PackageURL.fromString(
      subjectPurl(subjectOf("127.0.0.1:5000/Factory/demo:1", DIGEST, "linux/arm/v7")) ?? "",
    );
    expect(purl).toMatchObject({ type: "oci", name: "demo", version: DIGEST });
    expect(purl.qualifiers).toEqual({ arch: "arm/v7", repository_url: "127.0.0.1:5000/factory/demo" });
  });

  it("gives a name without a host no repository, and no name to what has none", () => {
    expect(subjectPurl(subjectOf("team/demo", DIGEST, "linux/amd64"))).toBe(
      `pkg:oci/demo@${DIGEST.replace(":", "%3A")}?arch=amd64`,
    );
    expect(subjectPurl(subjectOf(OTHER, DIGEST, "linux/amd64"))).toBe(null);
  });
});

it("parseReference takes any text", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseReference(text)));
});

it("parseReference tells a registry's host from a folder", () => {
  expect(parseReference("127.0.0.1:5000/b")).toEqual({
    repository: "127.0.0.1:5000/b",
    base: "b",
    tag: "",
    hosted: true,
  });
  expect(parseReference("team/b:2")).toMatchObject({ base: "b", tag: "2", hosted: false });
});
