import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { errorFor } from "../../src/exits.ts";

describe("errorFor", () => {
  it("keeps an error of ours", () => {
    const error = new FactoryError("USAGE", "what");
    expect(errorFor(error)).toBe(error);
  });

  it.each(["EACCES", "ENOSPC", "EMFILE", "ENOMEM", "EROFS"])("takes %s for the environment's", (code) => {
    const thrown = Object.assign(new Error(`${code}: no, open '/a'`), { code, syscall: "open" });
    expect(errorFor(thrown)).toMatchObject({
      code: "SYSTEM_REFUSED",
      exitCode: 3,
      message: `the operating system refused: ${code}: no, open '/a'`,
    });
  });

  it.each([
    [new TypeError("a is not a function"), /TypeError: a is not a function\n\s+at /],
    [Object.assign(new Error("gone"), { code: "ENOENT", syscall: "open" }), /gone/],
    [Object.assign(new Error("no system call"), { code: "EACCES" }), /no system call/],
    [new RangeError("Maximum call stack size exceeded"), /RangeError/],
    ["a text", /a text/],
    [undefined, /undefined/],
  ])("takes %s for a bug of ours", (thrown, what) => {
    const error = errorFor(thrown);
    expect(error).toMatchObject({ code: "INTERNAL", exitCode: 70 });
    expect(error.message).toMatch(what);
  });
});
