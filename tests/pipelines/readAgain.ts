/** The artifacts of a run, read from its folder as a later run would read them. */
import { readdir, readFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { digestFiles, type Files, type Graph, isPort, type RecordedRun } from "@millrace/core"
import { Effect } from "effect"

/** The digests of what is read and written again, and of the run's own, by stage; stages of manifests are left out. */
export const readAgain = async (graph: Graph, { folder, digests }: RecordedRun) => {
  const [read, made]: [Record<string, string>, Record<string, string>] = [{}, {}]
  for (const { name, node } of graph.nodes) {
    const kind = isPort(node.out) ? node.out.kind : undefined
    if (kind?.read === undefined) continue
    const place = join(folder.path, "artifacts", name, "out")
    const files: Record<string, Uint8Array> = {}
    // Paths are percent-encoded where a file's own name has signs that file systems do not all take.
    for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const name = relative(place, path).split(sep).map(decodeURIComponent).join("/")
      files[name] = await readFile(path)
    }
    const again: Files = kind.files(await Effect.runPromise(kind.read(files)))
    read[name] = digestFiles(again)
    made[name] = digests[name]!.out!
  }
  return { read, made }
}
