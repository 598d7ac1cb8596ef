import type { WriteFormat } from "./format.ts";

/** `--format table` */
export const write: WriteFormat = ({ planned, draw }) => ({
  count: 1,
  files: [{ name: "plan.txt", text: [...draw(planned)].join("\n") }],
  isContent: false,
  document: "plan",
});
