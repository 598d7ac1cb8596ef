import { render } from "#render-into";
import { firstAxes, layOut, type MatrixData } from "../site-matrix.ts";
import { MatrixTables } from "../views/matrix-table.tsx";
import { dataPart, root } from "./shards.ts";
import { showFresh } from "./show-fresh.ts";

interface Chosen {
  rows: string;
  cols: string;
  per: string;
}

/** Lets people choose the axes of a matrix; the address keeps what is chosen. */
export async function startAxes(): Promise<void> {
  const place = document.querySelector<HTMLElement>("#axes");
  const table = document.querySelector("#matrix");
  const id = place?.dataset.manifest;
  if (!place || !table || id === undefined) return;
  const data = (await dataPart(`matrix/${id}`)) as MatrixData | undefined;
  const first = data && firstAxes(data.axes);
  if (!data || !first) return;
  const names = data.axes.map(({ name }) => name);
  const asked = new URLSearchParams(location.search);
  const named = (name: string, otherwise: string) => {
    const value = asked.get(name) ?? "";
    return names.includes(value) ? value : otherwise;
  };
  const chosen: Chosen = {
    rows: named("rows", first.rows),
    cols: named("cols", first.cols),
    per: named("per", ""),
  };

  const show = (isNew: boolean): void => {
    const { rows, cols, per } = chosen;
    if (isNew) {
      const query = new URLSearchParams({ rows, cols, ...(per === "" ? {} : { per }) });
      history.replaceState(null, "", `?${query.toString()}`);
    }
    render(
      <p class="tools">
        {(["rows", "cols", "per"] as const).map((which) => (
          <label>
            {{ rows: "Rows", cols: "Columns", per: "A table for each" }[which]}{" "}
            <select
              name={which}
              value={chosen[which]}
              onChange={({ currentTarget }: { currentTarget: HTMLSelectElement }) => {
                chosen[which] = currentTarget.value;
                show(true);
              }}
            >
              {which === "per" && <option value="">–</option>}
              {names.map((name) => (
                <option value={name}>{name}</option>
              ))}
            </select>
          </label>
        ))}
      </p>,
      place,
    );
    const matrix = layOut(data, { ...chosen, per: per === "" ? null : per });
    showFresh(
      <div>
        <MatrixTables matrix={matrix} root={root()} />
      </div>,
      table,
    );
  };
  show(asked.size > 0);
}
