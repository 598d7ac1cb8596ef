import type { HttpTest, TextMatch } from "../../schemas/types.ts";
import { matchText } from "../match.ts";
import { observed, outcomeOf } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Kind } from "./kind.ts";

interface HttpCheck {
  kind: "http";
  port: number;
  method: NonNullable<HttpTest["method"]>;
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** Empty for none. */
  body: string;
  status: number;
  response: TextMatch | null;
}

/** Asks the service that the image's own entrypoint starts. A test's time includes the service's start until its first answer. */
export const http: Kind<HttpTest, HttpCheck> = {
  form: ({ port, method = "GET", path, headers = {}, body = "", status = 200, response = null }) => {
    const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    return {
      kind: "http",
      port,
      method,
      path,
      headers: Object.fromEntries(lowerCase),
      body,
      status,
      response,
    };
  },
  matches: ["response"],
  port: ({ port }) => port,
  inTurn: () => "service",
  run: async (check, tools, timeoutMs) => {
    const { port, method, path, headers, body } = check;
    const expected = `${method} ${path} on port ${port} gives ${check.status}`;
    const answer = await tools.request({ port, method, path, headers, body }, { expected, timeoutMs });
    if ("outcome" in answer) return answer.outcome;
    const findings = [
      observed(answer.status === check.status, expected, `status ${answer.status}`),
      ...matchText("body", check.response, answer.body),
    ];
    return outcomeOf(findings, answer.status === check.status ? [] : [`body ${quoted(answer.body, 250)}`]);
  },
};
