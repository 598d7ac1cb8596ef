import { visible } from "../../model/visible.ts";
import type { PrefixNode, PrefixTree } from "../prefix-tree.ts";
import { sitePaths } from "../site-paths.ts";

/** A branch as deep as this is not unfolded any more. */
const DEEPEST = 200;
/** How many cells at the end of a branch are named. */
const NAMED = 20;

function Node({ node, most, root, deep }: { node: PrefixNode; most: number; root: string; deep: number }) {
  const { name, cells, next } = node;
  const shared = cells.length > 1;
  return (
    <li>
      <div class="prefix">
        <b>{visible(name)}</b>
        <svg viewBox="0 0 120 8" width="120" height="8" aria-hidden="true">
          <rect class="track" width="120" height="8" rx="4" />
          <rect
            class={shared ? "span pass" : "span own"}
            width={Math.max(4, (cells.length / most) * 120)}
            height="8"
            rx="4"
          />
        </svg>
        <span class="quiet">{shared ? `${cells.length} cells share it` : "one cell"}</span>
      </div>
      {next.length > 0 && deep < DEEPEST ? (
        <ul>
          {next.map((one) => (
            <Node node={one} most={most} root={root} deep={deep + 1} />
          ))}
        </ul>
      ) : (
        <ul class="ends">
          {cells.slice(0, NAMED).map((cell) => (
            <li>
              <a class="name" href={root + sitePaths.cell(cell)}>
                {cell}
              </a>
            </li>
          ))}
          {cells.length > NAMED && <li class="quiet">and {cells.length - NAMED} more</li>}
        </ul>
      )}
    </li>
  );
}

/** What the cells of a manifest begin with in common, as a tree. */
export function PrefixView({ tree, id, root }: { tree: PrefixTree; id: string; root: string }) {
  const { roots, fragments, distinct } = tree;
  const most = Math.max(1, ...roots.map(({ cells }) => cells.length));
  const saved = fragments === 0 ? 0 : Math.round((1 - distinct / fragments) * 100);
  return (
    <>
      <h1>What cells have in common: {id}</h1>
      <p class="lead">
        {fragments === 0
          ? "There is no record yet."
          : `The cells have ${fragments} fragments together, and ${distinct} different beginnings: ${saved} % of the work is shared.`}
      </p>
      <ul class="tree">
        {roots.map((node) => (
          <Node node={node} most={most} root={root} deep={0} />
        ))}
      </ul>
      <p class="quiet">
        By the newest record of each cell. A beginning is the base, the platform and the versions of
        fragments.
      </p>
    </>
  );
}
