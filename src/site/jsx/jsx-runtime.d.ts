/*
 * What our pages use of Preact's types. Its own bring the types of the DOM with them, for every file of the program: then `name` and
 * `status` are known everywhere, and `fetch` is another one than Node's.
 */

/** What a component shows. */
export interface VNode {
  readonly type: unknown;
  readonly props: unknown;
}

export type ComponentChildren =
  VNode | string | number | boolean | null | undefined | readonly ComponentChildren[];

export declare const Fragment: (props: { children?: ComponentChildren }) => VNode;
export declare const jsx: (type: unknown, props: unknown, key?: unknown) => VNode;
export declare const jsxs: typeof jsx;

export declare namespace JSX {
  type Element = VNode;
  type ElementType = string | ((props: never) => VNode | null);
  interface ElementChildrenAttribute {
    children: unknown;
  }
  interface IntrinsicAttributes {
    key?: string | number;
  }
  type IntrinsicElements = Record<
    string,
    {
      children?: ComponentChildren;
      class?: string | undefined;
      id?: string | undefined;
      href?: string | undefined;
      [name: string]: unknown;
    }
  >;
}
