import type { VNode } from "./jsx-runtime.d.ts";

/** A component as HTML: texts and attributes are escaped. */
export declare function renderToString(page: VNode): string;
