import { sha256Hex } from "../../model/digest.ts";
import type { Inputs } from "../../model/inputs.ts";
import { dockerfileOf } from "../../stitch/finish.ts";
import type { Problem } from "../problem.ts";

/** Whether the Dockerfile that was built is the one that the inputs come to. */
export function dockerfileProblems(inputs: Inputs, dockerfile: string): Problem[] {
  const own = dockerfileOf(inputs);
  if (own === dockerfile) return [];
  return [
    {
      code: "INPUT_MISMATCH",
      what: `the Dockerfile hashes to ${sha256Hex(dockerfile)}, and the inputs come to one that hashes to ${sha256Hex(own)}`,
    },
  ];
}
