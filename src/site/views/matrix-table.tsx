import { entryText, type Matrix, type MatrixEntry, SIGNS } from "../../model/proof-matrix.ts";
import { visible } from "../../model/visible.ts";
import { sitePaths } from "../site-paths.ts";
import { Scroll, stateClass } from "./parts.tsx";

/** The cell that says the state of all that share a place. */
const shownOf = ({ cells, state }: MatrixEntry) => cells.find((cell) => cell.state === state) ?? cells[0];

function Place({ entry, root, name }: { entry: MatrixEntry | null; root: string; name: string }) {
  const shown = entry && shownOf(entry);
  if (!entry || !shown)
    return (
      <td class="heat empty">
        <span class="unseen">no cell</span>
      </td>
    );
  const words = entryText(entry);
  return (
    <td class={`heat ${stateClass(entry.state)}`}>
      <a href={root + sitePaths.cell(shown.cell_id)} title={`${name}: ${words}. ${visible(shown.why)}`}>
        <span aria-hidden="true">{SIGNS[entry.state]}</span> <span class="word">{words}</span>
      </a>
    </td>
  );
}

/** What is known of cells, by the values of two axes: words and signs say what the colours do. */
export function MatrixTables({ matrix, root }: { matrix: Matrix; root: string }) {
  const { rows, cols, per, tables } = matrix;
  if (tables.every((table) => table.rows.length === 0))
    return <p class="none">No cell has values on both.</p>;
  return (
    <>
      {tables.map((table) => {
        const title = `${rows} by ${cols}${table.per === null ? "" : `, ${per ?? ""} ${visible(table.per)}`}`;
        return (
          <Scroll label={title}>
            <table class="matrix">
              <caption>{title}</caption>
              <thead>
                <tr>
                  <td class="corner">
                    {rows} \ {cols}
                  </td>
                  {table.cols.map((col) => (
                    <th scope="col">{visible(col)}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.rows.map((row, down) => (
                  <tr>
                    <th scope="row">{visible(row)}</th>
                    {table.cols.map((col, at) => (
                      <Place
                        entry={table.entries[down]?.[at] ?? null}
                        root={root}
                        name={`${rows} ${visible(row)}, ${cols} ${visible(col)}`}
                      />
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        );
      })}
    </>
  );
}
