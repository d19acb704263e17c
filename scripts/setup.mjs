/**
 * Sets the workspace up where it is not: installs when the lock file has changed since the last install, then builds.
 * Needs Node and npm alone; does nothing the second time.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const stamp = join(root, "node_modules", ".millrace-setup")

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Millrace needs Node 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

/** Runs a command and ends this process if it fails. */
const run = (command, args) => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  })
  if (error) console.error(`setup: ${command} did not start: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex")
const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : ""
if (installed !== `${wanted} ${process.versions.modules}`) {
  console.error("setup: installing packages (once; about a minute)")
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])
  writeFileSync(stamp, `${wanted} ${process.versions.modules}`)
}
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"])
