/** Runs an example by its number: `npm run example 02`. Without a number it lists them. */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const examples = join(dirname(fileURLToPath(import.meta.url)), "..", "examples")
const files = readdirSync(join(examples, "src"))
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .sort()
const wanted = process.argv[2]
const found = wanted === undefined ? undefined : files.find((file) => file.startsWith(wanted.padStart(2, "0")))

if (found === undefined) {
  if (wanted !== undefined) console.error(`There is no example ${wanted}.`)
  for (const file of files) {
    const title = /^\/\*\*\s*\n \* (.*)$/m.exec(readFileSync(join(examples, "src", file), "utf8"))?.[1] ?? ""
    console.log(`  ${file.slice(0, 2)}  ${title}`)
  }
  process.exit(wanted === undefined ? 0 : 2)
}
const { status } = spawnSync(process.execPath, [join(examples, "dist", found.replace(/\.ts$/, ".js"))], {
  stdio: "inherit",
})
process.exit(status ?? 1)
