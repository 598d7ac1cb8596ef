import { visible } from "../../model/visible.ts";
import type { LogStep } from "../log-steps.ts";
import type { StageTime } from "../stage-times.ts";
import { durationText } from "./parts.tsx";

const WIDTH = 600;
const ROW = 26;

/** The stages of an attempt along its time. The table beside it says the same in words. */
export function Timeline({ times, failed }: { times: readonly StageTime[]; failed: string | null }) {
  if (times.length === 0) return <p class="none">No stage ran.</p>;
  const whole = Math.max(1, ...times.map(({ from, ms }) => from + ms));
  return (
    <table class="timeline">
      <caption class="unseen">Stages, when they began and how long they took</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">
            <span class="unseen">When</span>
          </th>
          <th scope="col" class="number">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {times.map(({ name, from, ms }) => (
          <tr>
            <th scope="row">{visible(name)}</th>
            <td class="picture">
              <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="8" width={WIDTH} height="10" rx="5" />
                <rect
                  class={`span ${name === failed ? "fail" : "pass"}`}
                  x={((from / whole) * WIDTH).toFixed(2)}
                  y="8"
                  width={Math.max(3, (ms / whole) * WIDTH).toFixed(2)}
                  height="10"
                  rx="5"
                />
              </svg>
              <span class="unseen">after {durationText(from)}</span>
            </td>
            <td class="number">{durationText(ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const STATE_TEXT = {
  failed: "failed",
  canceled: "canceled",
  done: "done",
  cached: "cached",
  open: "not ended",
} as const;

/** The steps of a build, each with its share of the longest. */
export function Steps({ steps, href }: { steps: readonly Omit<LogStep, "rows">[]; href: string }) {
  const longest = Math.max(0.001, ...steps.map(({ seconds }) => seconds ?? 0));
  return (
    <table class="timeline steps">
      <caption class="unseen">Steps of the build</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">
            <span class="unseen">Share of the longest</span>
          </th>
          <th scope="col" class="number">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {steps.map(({ number, name, state, seconds }) => (
          <tr class={state}>
            <th scope="row">
              <a href={`${href}#step-${number}`}>{visible(name)}</a>
            </th>
            <td class="picture">
              <svg viewBox={`0 0 ${WIDTH} ${ROW}`} preserveAspectRatio="none" aria-hidden="true">
                {seconds !== null && (
                  <rect
                    class="span pass"
                    x="0"
                    y="8"
                    width={Math.max(3, (seconds / longest) * WIDTH).toFixed(2)}
                    height="10"
                    rx="5"
                  />
                )}
              </svg>
            </td>
            <td class="number">
              {state === "done" && seconds !== null ? durationText(seconds * 1000) : STATE_TEXT[state]}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
