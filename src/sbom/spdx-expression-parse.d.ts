declare module "spdx-expression-parse" {
  /** Parses an SPDX licence expression. @throws Error where it is not one */
  export default function parse(expression: string): unknown;
}
