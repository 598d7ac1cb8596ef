import { bytesOf, sizeText } from "../../model/bytes.ts";
import type { BudgetTest } from "../../schemas/types.ts";
import { couldNotRun, observed, outcomeOf } from "../outcome.ts";
import type { Observation } from "../outcome.ts";
import type { Kind } from "./kind.ts";

interface BudgetCheck {
  kind: "budget";
  size_bytes: number | null;
  layers: number | null;
}

/** Holds the image to its upper bounds. */
export const budget: Kind<BudgetTest, BudgetCheck> = {
  form: ({ size, layers = null }) => ({
    kind: "budget",
    size_bytes: size === undefined ? null : bytesOf(size),
    layers,
  }),
  matches: [],
  run: async (check, tools) => {
    const findings: Observation[] = [];
    if (check.layers !== null) {
      const layers = tools.image.RootFS?.Layers?.length ?? 0;
      findings.push(observed(layers <= check.layers, `at most ${check.layers} layers`, `${layers} layers`));
    }
    if (check.size_bytes !== null) {
      const expected = `at most ${sizeText(check.size_bytes)} unpacked`;
      const bytes = await tools.unpackedSize();
      if (typeof bytes !== "number") return couldNotRun(expected, bytes.error);
      findings.push(observed(bytes <= check.size_bytes, expected, `${sizeText(bytes)} (${bytes} bytes)`));
    }
    return outcomeOf(findings);
  },
};
