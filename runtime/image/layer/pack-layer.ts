import { ARCHIVE_END } from "../../../core/tar/tar-writer.ts";
import { OpenDirectory } from "../../linux/open-directory.ts";
import { TreePacker } from "./pack-tree.ts";

/**
 * Packs an overlayfs upper directory as a layer: what was removed becomes `.wh.` marks, what hides a lower directory an
 * opaque mark. In the order of names, a piece at a time; what goes away meanwhile is left out.
 *
 * @throws {ClusterError} FailedPrecondition when the directory cannot be told without those below it; ResourceExhausted.
 * Source: OCI image-spec, layer.md; Linux, Documentation/filesystems/overlayfs.rst.
 */
export async function* packLayer(
  directory: string,
  packer = new TreePacker("layer"),
): AsyncGenerator<Uint8Array> {
  const upper = OpenDirectory.open(directory);
  try {
    yield* packer.packChildren(upper, "");
  } finally {
    upper.close();
  }
  yield ARCHIVE_END;
}
