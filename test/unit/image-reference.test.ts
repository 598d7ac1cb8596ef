import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { type ImageReference, isLoopback, parseReference } from "../../src/model/image-reference.ts";

const DIGEST = `sha256:${"0a".repeat(32)}`;

/** The reference as text, without a scheme. */
function textOf({ host, repository, tag, digest }: ImageReference): string {
  return `${host}/${repository}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
}

const of = (letters: string, constraints: { minLength: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom(...letters), ...constraints });
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const word = of(`${LOWER}0123456789`, { minLength: 1, maxLength: 8 });
const joined = (separators: string[], parts = word) =>
  fc
    .array(fc.tuple(parts, fc.constantFrom(...separators)), { minLength: 1, maxLength: 4 })
    .map((pairs) => pairs.map(([part, separator], at) => (at === 0 ? part : separator + part)).join(""));
const label = fc
  .tuple(of(LOWER, { minLength: 1, maxLength: 3 }), word)
  .map(([start, rest]) => `${start}${rest}`);
const port = fc.integer({ min: 1, max: 65_535 }).map((number) => `:${number}`);
const host = fc.oneof(
  fc
    .tuple(joined([".", "-"], label), label, fc.oneof(fc.constant(""), port))
    .map(([a, b, c]) => `${a}.${b}${c}`),
  fc
    .tuple(fc.constantFrom("localhost", "127.0.0.1", "[::1]", "[2001:db8::1]"), port)
    .map((parts) => parts.join("")),
  // 443 is what https has anyway; a URL leaves it out.
  fc.constant("ghcr.io:443"),
);
const reference: fc.Arbitrary<ImageReference> = fc.record({
  host,
  repository: joined(["/"], joined([".", "_", "__", "-", "--"])),
  tag: fc.option(
    fc
      .tuple(
        of(`${LOWER}AZ09_`, { minLength: 1, maxLength: 1 }),
        of(`${LOWER}AZ09_.-`, { minLength: 0, maxLength: 127 }),
      )
      .map((parts) => parts.join("")),
  ),
  digest: fc.option(of("0123456789abcdef", { minLength: 64, maxLength: 64 }).map((hex) => `sha256:${hex}`)),
});

function refusal(text: string): FactoryError {
  let error: unknown;
  try {
    parseReference(text);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(FactoryError);
  return error as FactoryError;
}

describe("parseReference", () => {
  it("reads back every reference that is written, with and without a scheme", () => {
    fc.assert(
      fc.property(reference, fc.constantFrom("", "oci://"), (parts, scheme) => {
        expect(parseReference(scheme + textOf(parts))).toEqual(parts);
      }),
    );
  });

  it("gives parts that are safe in an address, or an error that a person can act on, for any text", () => {
    const near = fc
      .array(
        fc.oneof(
          fc.constantFrom("oci://", "/", ":", "@", "..", "%2f", "?", "#", "\n", " ", "K", DIGEST, "ghcr.io"),
          word,
        ),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.string({ unit: "binary" })), (text) => {
        let parts: ImageReference;
        try {
          parts = parseReference(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "REFERENCE_INVALID" });
          expect((error as FactoryError).message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          return;
        }
        const url = new URL(
          `https://${parts.host}/v2/${parts.repository}/manifests/${parts.tag ?? parts.digest}`,
        );
        expect(url.pathname).toBe(`/v2/${parts.repository}/manifests/${parts.tag ?? parts.digest}`);
        expect([url.search, url.hash, url.username, url.password]).toEqual(["", "", "", ""]);
        expect(text.replace(/^oci:\/\//, "").toLowerCase()).toBe(textOf(parts).toLowerCase());
      }),
    );
  });

  it("takes the host in any case", () => {
    expect(parseReference("oci://GHCR.io/team/app:V1").host).toBe("ghcr.io");
    expect(parseReference("LOCALHOST/app")).toEqual({
      host: "localhost",
      repository: "app",
      tag: null,
      digest: null,
    });
  });

  it.each([
    ["app", "`app` does not say which registry it is in", "write the host before it: `HOST/app`"],
    ["team/app:1", "does not say which registry it is in", "`HOST/team/app:1`"],
    ["ghcr.io", "does not say which registry it is in", "HOST/"],
    ["docker://ghcr.io/app", "has the scheme `docker`", "write `oci://`"],
    ["OCI://ghcr.io/app", "has the scheme `OCI`", "write `oci://`"],
    ["ghcr.io/Team/app", "`Team/app` is not the name of a repository", "lower-case"],
    ["ghcr.io/team/../app", "`team/../app` is not the name of a repository", "lower-case"],
    ["ghcr.io/a%2fb", "is not the name of a repository", "lower-case"],
    ["ghcr.io/", "is not the name of a repository", "lower-case"],
    ["ghcr.io/app:", "`` is not a tag", "HOST"],
    ["ghcr.io/app:a/b", "`a/b` is not a tag", "HOST"],
    ["ghcr.io/app:1\n", "has a character that no reference has", "HOST"],
    ["ghcr.io/app@sha256:abc", "has a digest that is not", "HOST"],
    [`ghcr.io/app@${DIGEST}@${DIGEST}`, "has a digest that is not", "HOST"],
    ["ghcr.io:0/app", "`ghcr.io:0` is not a host", "HOST"],
    ["ghcr.io:65536/app", "is not a host", "HOST"],
    ["ghcr.io:0443/app", "is not a host", "HOST"],
    ["127.1:5000/app", "is not a host", "HOST"],
    ["0x7f.0.0.1/app", "is not a host", "HOST"],
    ["999.1.1.1/app", "is not a host", "HOST"],
    ["[::1%25lo]:5000/app", "is not a host", "HOST"],
    ["[0:0::1]/app", "is not a host", "HOST"],
    ["-a.io/app", "is not a host", "HOST"],
    ["https:/ghcr.io/app", "is not a host", "HOST"],
    ["g\u212acr.io/app", "has a character that no reference has", "HOST"],
  ])("refuses %j", (text, what, fix) => {
    const error = refusal(text);
    expect(error.code).toBe("REFERENCE_INVALID");
    expect(error.message).toContain(what);
    expect(error.fix).toContain(fix);
  });

  it("refuses what is too long", () => {
    expect(refusal(`ghcr.io/${"a".repeat(256)}`).message).toContain("is not the name of a repository");
    expect(refusal(`ghcr.io/app:${"a".repeat(129)}`).message).toContain("is not a tag");
    expect(refusal("x".repeat(10_000)).message).toBe(
      "a reference has 10000 characters; at most 718 are taken",
    );
  });

  it.each([
    "oci://ada:hunter2-hunter2@ghcr.io/app",
    "ada:hunter2-hunter2/x y@ghcr.io/app",
    "oci://:hunter2-hunter2@[::1]/a",
  ])("does not repeat a password: %s", (text) => {
    const { message, fix } = refusal(text);
    expect(`${message} ${fix}`).not.toContain("hunter2");
  });
});

describe("isLoopback", () => {
  it.each([
    "localhost",
    "localhost:5000",
    "127.0.0.1:5000",
    "127.9.8.7",
    "[::1]:5000",
    "127.0.0.1:5000/team",
  ])("is true of %s", (name) => expect(isLoopback(name)).toBe(true));
  it.each([
    "127.0.0.1.example.com",
    "localhost.example.com",
    "xlocalhost",
    "[::2]",
    "10.0.0.1",
    "example/localhost",
    "localhost@x",
  ])("is false of %s", (name) => expect(isLoopback(name)).toBe(false));
});
