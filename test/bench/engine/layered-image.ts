import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../support/debian-packages.ts";
import { packOciArchive } from "../../support/image-archive.ts";
import { noise } from "../../support/noise.ts";
import { packTar } from "../../support/tar-writer.ts";

const LAYERS = 6;
const FILES = 100;
const MIB = 1024 * 1024;
const LAYER_BYTES = Math.round((100 * MIB) / LAYERS);
/** Half of each file packs to nothing: images are halved by gzip, more or less. */
const NOISE_SHARE = 0.5;
const VERSION = 1;

/** An image of 100 MiB in six layers of a hundred files each. @returns the path of an OCI archive, made once per machine. */
export async function layeredImage(): Promise<string> {
  const recipe = JSON.stringify({ VERSION, LAYERS, FILES, LAYER_BYTES, NOISE_SHARE });
  const folder = await cached("bench", recipe, async (made) => {
    const layers = Array.from({ length: LAYERS }, (_, layer) => packLayer(layer));
    const archive = packOciArchive({ name: "layered:latest", layers, settings: { Cmd: ["true"] } });
    await writeFile(join(made, "image.tar"), archive);
  });
  return join(folder, "image.tar");
}

function packLayer(layer: number): Buffer {
  const fileBytes = Math.floor(LAYER_BYTES / FILES);
  const noiseBytes = Math.floor(fileBytes * NOISE_SHARE);
  const bytes = noise(noiseBytes * FILES * LAYERS);
  return packTar(
    Array.from({ length: FILES }, (_, file) => {
      const at = (layer * FILES + file) * noiseBytes;
      const content = Buffer.alloc(fileBytes);
      bytes.copy(content, 0, at, at + noiseBytes);
      return { name: `layer${layer}/file${file}`, content };
    }),
  );
}
