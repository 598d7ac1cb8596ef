import type { VNode } from "./jsx-runtime.d.ts";

/** Shows a component in an element; null takes away what was shown. */
export declare function render(page: VNode | null, into: object): void;
