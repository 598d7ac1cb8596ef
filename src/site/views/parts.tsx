import type { ComponentChildren } from "#jsx/jsx-runtime";
import { SIGNS, type State as ProofState } from "../../model/proof-matrix.ts";
import { visible } from "../../model/visible.ts";

/** A moment for people: `2026-11-21 01:02:03`, UTC. What is none is shown as it is. */
export function momentText(iso: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(iso) ?? [];
  return day === undefined || time === undefined ? visible(iso) : `${day} ${time}`;
}

export function Moment({ iso }: { iso: string }) {
  return <time datetime={visible(iso)}>{momentText(iso)}</time>;
}

/** A length of time: `250 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const SIGN = { pass: "✔", fail: "✘", error: "!", skipped: "–" } as const;

/** A verdict as a word with a sign: colour alone says nothing. */
export function Status({ status, expected = true }: { status: keyof typeof SIGN; expected?: boolean }) {
  const word = status === "fail" && expected ? "expected fail" : status;
  const name = status === "fail" && expected ? "expected" : status;
  return (
    <span class={`status ${name}`}>
      <span aria-hidden="true">{SIGN[status]}</span> {word}
    </span>
  );
}

/** The class that the style has for a state of a cell. */
export const stateClass = (state: ProofState): string => state.split(" ")[0] ?? "";

/** The state of a cell, or of as many, as a word with a sign. */
export function State({ of, count }: { of: ProofState; count?: number }) {
  return (
    <span class={`count ${stateClass(of)}`}>
      <span aria-hidden="true">{SIGNS[of]}</span> {count === undefined ? of : `${count} ${of}`}
    </span>
  );
}

/** Names and values, one a line. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A digest that is cut for the eye; the whole one is its title. */
export function Digest({ of }: { of: string | null }) {
  if (of === null) return <>none</>;
  const text = visible(of);
  return <code title={text}>{text.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]+$/, "$1$2…")}</code>;
}

/** Fragments as `core 0.1.0`, one beside the other. */
export function Fragments({ of }: { of: readonly (readonly [name: string, version: string])[] }) {
  return (
    <ul class="chips">
      {of.map(([name, version]) => (
        <li>
          {visible(name)} <b>{visible(version)}</b>
        </li>
      ))}
    </ul>
  );
}

/** A wide thing that may be scrolled by keyboard too. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabindex={0}>
      {children}
    </div>
  );
}

/** Links to the pages of a long list. */
export function Pager({ page, pages, to }: { page: number; pages: number; to: (page: number) => string }) {
  if (pages < 2) return null;
  const near = [...new Set([1, page - 2, page - 1, page, page + 1, page + 2, pages])].filter(
    (one) => one >= 1 && one <= pages,
  );
  return (
    <nav class="pager" aria-label="Pages">
      {page > 1 && (
        <a rel="prev" href={to(page - 1)}>
          Newer
        </a>
      )}
      {near.map((one) => (
        <a href={to(one)} aria-current={one === page ? "page" : undefined} aria-label={`Page ${one}`}>
          {one}
        </a>
      ))}
      {page < pages && (
        <a rel="next" href={to(page + 1)}>
          Older
        </a>
      )}
    </nav>
  );
}
