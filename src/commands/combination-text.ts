import { baseText } from "../model/parent.ts";
import { visible } from "../model/visible.ts";

/** Values by factor as people read them: `core 0.3.0, 0.3.1 × light 0.1.0`. */
export function combinationText(
  values: Readonly<Record<string, string | null | readonly (string | null)[]>>,
): string {
  const parts = Object.entries(values).map(([name, some]) => {
    const all: readonly (string | null)[] = some === null || typeof some === "string" ? [some] : some;
    const texts = all.flatMap((value) =>
      value === null ? [] : [visible(name === "base" ? baseText(value) : value)],
    );
    if (all.includes(null)) texts.push("none");
    return `${visible(name)} ${texts.join(", ")}`;
  });
  return parts.join(" × ");
}
