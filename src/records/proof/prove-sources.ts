import { sha256 } from "../../model/digest.ts";
import type { Inputs } from "../../model/inputs.ts";
import { isListed, sourceLine } from "../../model/source-files.ts";
import type { Problem } from "../problem.ts";

/**
 * Whether the listings in the evidence are those that the inputs name. Of sources with very many files only the hashes were
 * kept: then there is nothing to compare.
 */
export function sourceProblems({ sources = [] }: Inputs, evidence: Buffer | undefined): Problem[] {
  if (!evidence) {
    if (!isListed(sources)) return [];
    return [{ code: "EVIDENCE_REQUIRED", what: "a record with these sources has to have source_files" }];
  }
  const problems: Problem[] = [];
  const lines = evidence.toString("utf8").split(/(?<=\n)/);
  for (const source of sources) {
    const [head, ...listing] = lines.splice(0, source.entries + 1);
    const own = sha256(listing.join(""));
    if (head === sourceLine(source) && own === source.sha256) continue;
    problems.push({
      code: "INPUT_MISMATCH",
      what: `the inputs have the source ${source.path} with ${source.sha256}, but its listing hashes to ${own}`,
    });
  }
  if (lines.length > 0)
    problems.push({ code: "INPUT_MISMATCH", what: "source_files has more than the sources" });
  return problems;
}
