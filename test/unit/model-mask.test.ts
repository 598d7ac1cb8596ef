import fc from "fast-check";
import { expect, it } from "vitest";
import { createMask } from "../../src/model/mask.ts";

const mask = createMask({
  REGISTRY_TOKEN: "t0k3n-value",
  MY_PASSWORD: "t0k3n-value-and-more",
  SHORT_SECRET: "abc",
  HOME: "/home/somebody",
});

it.each([
  ["push with t0k3n-value-and-more now", "push with *** now"],
  ["t0k3n-value", "***"],
  ["https://user:pw@r.example/x and http://u@h", "https://***@r.example/x and http://***@h"],
  ["abc /home/somebody", "abc /home/somebody"],
  ["r.example/team/app@sha256:00", "r.example/team/app@sha256:00"],
  ["Maintainer: J <j@example.org> // see a@b", "Maintainer: J <j@example.org> // see a@b"],
])("masks secrets in %j", (text, masked) => {
  expect(mask(text)).toBe(masked);
});

it("leaves no secret in any text", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      expect(mask(`${before}t0k3n-value${after}`)).not.toContain("t0k3n-value");
      expect(mask(mask(before))).toBe(mask(before));
    }),
  );
});
