import type { ImageContents } from "../../src/model/image-contents.ts";
import type { Scripts } from "../../src/smoke/smoke.ts";

/** For tests whose suites have no scripts: asking for one is an error of the test. */
export const NO_SCRIPTS: Scripts = {
  text: (path) => {
    throw new Error(`not in the test: the script ${path}`);
  },
  folder: () => {
    throw new Error("not in the test: a folder for scripts");
  },
};

/** Nothing is known of where an image's layers and packages come from. */
export const NO_CONTENTS: ImageContents = {
  layers: () => Promise.reject(new Error("not in the script: layers")),
  packages: () => Promise.reject(new Error("not in the script: packages")),
  filesOf: null,
};
