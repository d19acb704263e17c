/** What helps where the disk fails: engines lie in the cache, not with the runs. */
import { cacheFolder, DiskFailed } from "@millrace/core"

const moreSpace = (): string =>
  `free some space on the disk of ${cacheFolder()}, or set MILLRACE_CACHE to a folder on another disk`

/** A disk that is too full for an engine. */
export const noSpace = (where: string, received: string, expected = "space for an engine"): DiskFailed =>
  new DiskFailed({ where, expected, received, fix: moreSpace() })

/** An error of the disk, with what helps for an engine. */
export const forEngines = ({ where, expected, received, cause }: DiskFailed): DiskFailed => {
  const code = cause instanceof Error && "code" in cause ? cause.code : ""
  const fix =
    code === "ENOSPC" || code === "EDQUOT"
      ? moreSpace()
      : `make ${cacheFolder()} yours and writable, or set MILLRACE_CACHE to another folder`
  return new DiskFailed({ where, expected, received, fix, cause })
}
