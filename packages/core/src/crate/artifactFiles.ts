/** The files of an artifact by the names that its kind gave them, from the paths at which a run or a crate has them. */
import type { Files } from "../artifact.js"
import { artifactPath } from "./parts.js"

/** The name of one part of a path, undoing `pathSegment`; parts that were cut for their length stay as they are. */
const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/**
 * An artifact's own files.
 * @param own  which paths count; cards that were added beside them do not
 */
export const artifactFiles = (
  files: Files,
  stage: string,
  port: string,
  own: (path: string) => boolean = () => true,
): Files => {
  const folder = artifactPath(stage, port)
  return Object.fromEntries(
    Object.entries(files).flatMap(([path, bytes]) =>
      path.startsWith(folder) && own(path)
        ? [[path.slice(folder.length).split("/").map(unescaped).join("/"), bytes] as const]
        : [],
    ),
  )
}
