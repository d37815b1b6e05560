/** Run as a process inside a host's namespace: `push-image-main.ts ARCHIVE FOLDER REFERENCE`. Pushes the archive's image. */
import { createReadStream } from "node:fs";
import { ImageStore } from "../../runtime/image/image-store.ts";

const [archive = "", folder = "", reference = ""] = process.argv.slice(2);
const registry = reference.split("/")[0] ?? "";
const images = await ImageStore.open(folder, { insecureRegistries: [registry] });
const [loaded] = await images.load(createReadStream(archive));
if (loaded === undefined) throw new Error(`${archive} holds no image`);
await images.tag(loaded.image.id, reference);
await images.push(reference);
