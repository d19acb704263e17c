import { homedir } from "node:os"
import { join } from "node:path"

/**
 * Where what is fetched once is kept, data sets and native engines: `MILLRACE_CACHE`, or `millrace` in the folder that the system has for caches
 * (`XDG_CACHE_HOME` or `~/.cache`; `LOCALAPPDATA` on Windows).
 */
export const cacheFolder = (variables: Readonly<Record<string, string | undefined>> = process.env): string => {
  const own = variables.MILLRACE_CACHE
  if (own) return own
  const system = process.platform === "win32" ? variables.LOCALAPPDATA : variables.XDG_CACHE_HOME
  return join(system || join(homedir(), ".cache"), "millrace")
}
