// Reads and writes the generated half of docs/mutation.md. Survivors are named by the line that is changed, before and
// after, and not by its number: so an entry stays true while other lines come and go.

const MARK = "<!-- written by npm run mutate -- --write; only the reasons are written by hand -->";

/** Code between backticks, one more than it has itself. */
function code(text) {
  const ticks = "`".repeat(1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)));
  return ticks.length > 1 ? `${ticks} ${text} ${ticks}` : `\`${text}\``;
}

const uncode = (text) => text.replace(/^(`+) ?(.*?) ?\1$/s, (_, ticks, inner) => inner);

/** The areas by name: `{ total, caught, survivors: [{ file, before, after, reason }] }`. */
export function parseReport(text) {
  const areas = new Map();
  const generated = text.split(MARK)[1] ?? "";
  for (const [, name, total, caught] of generated.matchAll(/^\| (\w+) \| (\d+) \| (\d+) \|/gm))
    areas.set(name, { total: Number(total), caught: Number(caught), survivors: [] });
  let survivors;
  let file = "";
  for (const line of generated.split("\n")) {
    const area = /^## (\w+)$/.exec(line)?.[1];
    if (area !== undefined) survivors = areas.get(area)?.survivors;
    file = /^### (.+)$/.exec(line)?.[1] ?? file;
    const entry = /^- ((`+).*?\2(?!`)) → ((`+).*?\4(?!`)):(.*)$/.exec(line);
    if (entry) {
      const [, before, , after, , reason] = entry;
      survivors?.push({ file, before: uncode(before), after: uncode(after), reason: reason.trim() });
    }
  }
  return areas;
}

/** The document with its generated half written anew. */
export function printReport(text, order, areas) {
  const lines = [MARK, "", "| area | changes | noticed | score |", "|---|---|---|---|"];
  const present = order.filter((name) => areas.has(name));
  for (const name of present) {
    const { total, caught } = areas.get(name);
    lines.push(`| ${name} | ${total} | ${caught} | ${((100 * caught) / total).toFixed(1)} % |`);
  }
  for (const name of present) {
    const { survivors } = areas.get(name);
    if (survivors.length > 0) lines.push("", `## ${name}`);
    const files = [...new Set(survivors.map(({ file }) => file))].sort();
    for (const file of files) {
      lines.push("", `### ${file}`, "");
      for (const { before, after, reason } of survivors.filter((one) => one.file === file))
        lines.push(`- ${code(before)} → ${code(after)}: ${reason}`.trimEnd());
    }
  }
  return `${text.split(MARK)[0].trimEnd()}\n\n${lines.join("\n")}\n`;
}
