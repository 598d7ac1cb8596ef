import { sha256Hex } from "../../model/digest.ts";
import type { Inputs } from "../../model/inputs.ts";
import { dockerfileOf } from "../../stitch/finish.ts";
import { networkOf, withNetwork } from "../../stitch/network.ts";
import type { Problem } from "../problem.ts";

/** Whether the Dockerfile that was built is the one that follows from the inputs. */
export function dockerfileProblems(inputs: Inputs, dockerfile: string): Problem[] {
  // What steps mount to reach the network is no input: it changes neither the image nor a key.
  const own = withNetwork(dockerfileOf(inputs), networkOf(dockerfile));
  if (own === dockerfile) return [];
  return [
    {
      code: "INPUT_MISMATCH",
      what: `the Dockerfile hashes to ${sha256Hex(dockerfile)}, but the one from the inputs hashes to ${sha256Hex(own)}`,
    },
  ];
}
