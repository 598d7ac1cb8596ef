import { describe, expect, it } from "vitest";
import { parseDockerfile, VALUE_END, VALUE_START } from "../../src/stitch/dockerfile.ts";

const keywords = (text: string) => parseDockerfile(text).map(({ keyword }) => keyword);

describe("parseDockerfile", () => {
  it.each([
    ["instructions, comments and blank lines", "# a\nFROM x\n\n  # b\n  run y\n", ["FROM", "RUN"]],
    ["a continued line", "RUN a \\\n  b\nUSER c\n", ["RUN", "USER"]],
    ["blanks behind the backslash", "RUN a \\ \t\n  b\nUSER c\n", ["RUN", "USER"]],
    [
      "comments and blank lines inside a continued line",
      "RUN a \\\n# x \\\n\n  b\nUSER c\n",
      ["RUN", "USER"],
    ],
    ["two backslashes, which continue nothing", "RUN a\\\\\nUSER c\n", ["RUN", "USER"]],
    ["a backslash alone", "\\\nRUN a\n", ["RUN"]],
    ["a comment that ends in a backslash", "# a \\\nRUN a\n", ["RUN"]],
    [
      "Windows line ends",
      "RUN a \\\r\n  b\r\nRUN <<EOF\r\nUSER\r\nEOF\r\nUSER c\r\n",
      ["RUN", "RUN", "USER"],
    ],
    ["a here-document", "RUN <<EOF\nUSER x\nEOF\nUSER y\n", ["RUN", "USER"]],
    ["two here-documents", "COPY <<A <<B /d\nUSER\nB\nA\nUSER\nB\nUSER y\n", ["COPY", "USER"]],
    ["a here-document with tabs", "RUN <<-EOF\n\tUSER\n\t\tEOF\nUSER y\n", ["RUN", "USER"]],
    ["tabs count without the dash", "RUN <<EOF\n\tEOF\nEOF\nUSER y\n", ["RUN", "USER"]],
    ["a quoted delimiter", "RUN cat <<'E O'\"F\"\nUSER\nE OF\nUSER y\n", ["RUN", "USER"]],
    ["a numbered here-document", "RUN cat 3<<EOF\nUSER\nEOF\nUSER y\n", ["RUN", "USER"]],
    ["a here-document behind ONBUILD", "ONBUILD RUN <<EOF\nUSER\nEOF\nUSER y\n", ["ONBUILD", "USER"]],
    ["a shift", "RUN echo $((1<<2))\nUSER y\n", ["RUN", "USER"]],
    ["a here-string", "RUN cat <<<EOF\nUSER y\n", ["RUN", "USER"]],
    ["a delimiter apart", "RUN cat << EOF\nUSER y\n", ["RUN", "USER"]],
    ["one in quotes", "RUN echo '<<EOF' \"<<EOF\"\nUSER y\n", ["RUN", "USER"]],
    ["one in the exec form", 'RUN ["cat", "<<EOF"]\nUSER y\n', ["RUN", "USER"]],
    ["one in the exec form, behind a flag", 'RUN --network=none ["cat", "<<EOF"]\nUSER y\n', ["RUN", "USER"]],
    ["one behind an open quote", "RUN it's <<EOF\nUSER y\n", ["RUN", "USER"]],
    ["one for an instruction that takes none", "ENV A=1 <<EOF\nUSER y\n", ["ENV", "USER"]],
    ["one inside ${…}", "RUN echo ${A:-x <<EOF}\nUSER y\n", ["RUN", "USER"]],
  ])("reads %s", (_, text, expected) => {
    expect(keywords(text)).toEqual(expected);
    expect(parseDockerfile(text).map(({ unclear }) => unclear)).toEqual(expected.map(() => undefined));
  });

  it("knows the line of each instruction, and what follows the keyword", () => {
    expect(parseDockerfile("# a\nFROM x AS y\nRUN a \\\n  b\nRUN <<E\nx\nE\nUSER z")).toMatchObject([
      { keyword: "FROM", rest: "x AS y", line: 2 },
      { keyword: "RUN", rest: "a   b", line: 3 },
      { keyword: "RUN", rest: "<<E", line: 5 },
      { keyword: "USER", rest: "z", line: 8 },
    ]);
  });

  it.each([
    ["a delimiter", "RUN <<@E@\nx\nE\n", true],
    ["a part of a delimiter", "RUN <<E@O@F\nx\nEOF\n", true],
    ["a delimiter that is none for its value", "RUN <<@'<'@\nx\n", true],
    ["a word that hides a delimiter", 'RUN cat @"${"@ <<EOF\nx\nEOF\n', true],
    ["a word that would be a delimiter", "RUN cat @<<EOF@\nx\nEOF\n", true],
    ["a line that ends a here-document", "RUN <<EOF\n@EO@F\nEOF\n", true],
    ["a line of a here-document", "RUN <<EOF\n@EO@\nEOF\n", false],
    ["a word beside a here-document", "RUN cat @x@ <<EOF\nx\nEOF\n", false],
    ["a quoted word like a here-document", "RUN cat @'<<EOF'@\n", false],
  ])("tells whether a value in %s shapes the instruction", (_, text, shaped) => {
    let count = 0;
    const marked = text.replace(/@/g, () => ((count += 1) % 2 === 1 ? VALUE_START : VALUE_END));
    expect(parseDockerfile(marked)[0]?.shapedByValue).toBe(shaped);
  });

  it.each([
    ["RUN a \\\n", "the last line ends in `\\`"],
    ["RUN a \\\n# b\n\n", "the last line ends in `\\`"],
    ["RUN <<EOF\nFROM x\n EOF\n", "no line `EOF` ends the here-document"],
    ["RUN <<EOF ${a^^}\nx\nEOF\n", "beside a here-document"],
  ])("tells where %j does not end", (text, why) => {
    const [only, ...more] = parseDockerfile(text);
    expect(more).toEqual([]);
    expect(only?.unclear).toContain(why);
  });
});
