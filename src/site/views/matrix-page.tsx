import { countsText } from "../../model/proof-matrix.ts";
import { firstAxes, layOut, type MatrixData } from "../site-matrix.ts";
import { MatrixTables } from "./matrix-table.tsx";

/** How a cell gets its state, for people. */
export function StateNote({ planned }: { planned: boolean }) {
  return (
    <p class="quiet">
      {planned
        ? "A cell is proven if its newest verdict is a pass by the rules of reuse, as the workspace was when this was made."
        : "States are those of the newest verdicts: whether they are still about what the workspace has was not asked."}
    </p>
  );
}

/** The matrix of a manifest. The script lets people choose other axes. */
export function MatrixPage({ data, root, planned }: { data: MatrixData; root: string; planned: boolean }) {
  const axes = firstAxes(data.axes);
  const matrix = axes && layOut(data, axes);
  return (
    <>
      <h1>What works: {data.manifest_id}</h1>
      <p class="lead">{matrix ? countsText(matrix.counts) : "There are no cells with two axes."}</p>
      <div id="axes" data-manifest={data.manifest_id} data-only-script></div>
      <div id="matrix">{matrix && <MatrixTables matrix={matrix} root={root} />}</div>
      <StateNote planned={planned} />
    </>
  );
}
