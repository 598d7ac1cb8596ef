import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../files/folders.ts";
import { readRegular } from "../files/read-regular.ts";
import { tryLink, tryRemove, tryTo, tryTouch, tryWrite } from "../files/shortcuts.ts";
import { digestIn, openDocuments } from "./layout.ts";
import { manifestsUnder } from "./manifest.ts";

/**
 * Blobs of layers, kept so that a build that writes an OCI layout need not copy them again. They are hard links to the
 * blobs of earlier layouts: nothing is copied, and what cannot be linked is left out. The folder may be that of the layer
 * cache, and other processes may use it at the same time. None of this can make a run fail.
 */
export interface LayerStore {
  /**
   * Makes the layout's folder for blobs, and links all blobs of the store into it.
   * @param layout absolute; may be missing
   * @returns how many were linked
   */
  lend: (layout: string) => number;
  /**
   * Adds an image's layers from a layout to the store, and marks them as used now.
   * @param digest `sha256:…` of an image manifest, or of an index above one
   * @param base digest of the base that has these layers, if `holds` shall know it
   * @returns how many of its layers the store now has
   */
  keep: (layout: string, digest: string, base?: string) => number;
  /** Whether the store has every layer of a base. */
  holds: (base: string) => boolean;
  /** Removes a blob whose bytes are damaged from the store. */
  drop: (digest: string) => void;
  /**
   * Removes blobs, and files of the layer cache, that were not used for longer than `maxAgeMs`.
   * @param now milliseconds since 1970
   * @returns how many were removed
   */
  sweep: (now: number, maxAgeMs: number) => number;
}

const LAYER = /^sha256:[0-9a-f]{64}$/;
const BLOB = /^([0-9a-f]{64})\.blob$/;
/** Includes files that a killed process left half-written. */
const OURS = /^[0-9a-f]{64}\.(?:blob|layer|base)(?:\.\d+)?$/;

/** @param folder absolute; made when the first blob is kept */
export function openLayerStore(folder: string): LayerStore {
  const namesIn = () => tryTo(() => readdirSync(folder)) ?? [];
  const fileOf = (digest: string) => join(folder, `${digest.slice("sha256:".length)}.blob`);
  const layersOf = (base: string) => join(folder, `${base.slice("sha256:".length)}.base`);
  return {
    lend: (layout) => {
      const blobs = join(layout, "blobs", "sha256");
      tryTo(() => makeFolder(blobs));
      tryWrite(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
      return namesIn().filter((name) => {
        const [, hex] = BLOB.exec(name) ?? [];
        return hex !== undefined && tryLink(join(folder, name), join(blobs, hex));
      }).length;
    },

    keep: (layout, digest, base) => {
      tryTo(() => makeFolder(folder));
      const manifests = tryTo(() => manifestsUnder(openDocuments(layout), digest)) ?? [];
      const names = new Set(manifests.flatMap((manifest) => manifest.layers));
      const now = new Date();
      const kept = [...names].flatMap((name) => {
        const blob = digestIn(name);
        if (blob === null || !tryLink(join(layout, name), fileOf(blob))) return [];
        tryTouch(fileOf(blob), now);
        return [blob];
      });
      if (base !== undefined && manifests.length > 0 && kept.length === names.size)
        tryWrite(layersOf(base), kept.join("\n"));
      return kept.length;
    },

    holds: (base) => {
      const bytes = tryTo(() => readRegular(layersOf(base)))?.bytes;
      const layers = bytes?.toString("utf8").split("\n") ?? [""];
      return layers.every((layer) => LAYER.test(layer) && tryTo(() => lstatSync(fileOf(layer)).isFile()));
    },

    drop: (digest) => void tryRemove(fileOf(digest)),

    sweep: (now, maxAgeMs) =>
      namesIn().filter((name) => {
        const file = join(folder, name);
        const old = OURS.test(name) && tryTo(() => now - lstatSync(file).mtimeMs > maxAgeMs);
        return old === true && tryRemove(file);
      }).length,
  };
}
