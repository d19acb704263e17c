import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const models = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "packages", "models")

/** The last of `tensor("float32", "b t", "mask")`. */
const port = /\btensor\(\s*"(?:float32|int32|bool)",\s*(?:"[^"]*"|\w+),\s*"([^"]+)",?\s*\)/g

const used = readdirSync(join(models, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("laws"))
  .flatMap((file) => [...readFileSync(join(models, "src", file), "utf8").matchAll(port)].map(([, unit]) => unit!))

const [, section = ""] = /## Units\n([\s\S]*?)\n## /.exec(readFileSync(join(models, "README.md"), "utf8")) ?? []
const told = section.split("\n").flatMap((line) => {
  const [, cell = ""] = /^\| ([^|]*) \|/.exec(line) ?? []
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, unit]) => unit!)
})

test("the table of units tells every unit of the models' ports, each once, and no other", () => {
  expect(used.length).toBeGreaterThan(100)
  expect(told.toSorted()).toEqual([...new Set(used)].toSorted())
})
