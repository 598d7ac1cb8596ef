import { expect, it } from "vitest";
import { combinationText } from "../../src/commands/combination-text.ts";
import { parentRef } from "../../src/model/parent.ts";

it("names values as people know them: none, several, a base from another manifest, and no bytes that act", () => {
  expect(combinationText({ core: "0.3.0", light: [null, "0.1.0"], base: parentRef("root") })).toBe(
    "core 0.3.0 × light 0.1.0, none × base the image of root",
  );
  expect(combinationText({ base: "debian:12", "args.x": "\u001b[31m" })).toBe(
    "base debian:12 × args.x \\u001b[31m",
  );
});
