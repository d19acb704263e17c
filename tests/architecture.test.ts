import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

/** The packages from left to right: each may import those to its left alone. */
const layers = ["packages/core", "packages/models", "packages/pipelines", "examples"] as const

const sourcesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))

const importsOf = (file: string): ReadonlyArray<string> =>
  [
    ...readFileSync(file, "utf8").matchAll(
      /^(?:import|export)\b[^"]*?from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm,
    ),
  ].map(([, from, bare, dynamic]) => (from ?? bare ?? dynamic)!)

const packageJson = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    name: string
    dependencies?: Record<string, string>
    devDependencies?: Record<string, string>
    peerDependencies?: Record<string, string>
    exports?: Record<string, unknown>
  }

/** What another package may import: a package, or a subpath that it exports. */
const entries = new Set(
  layers.flatMap((layer) => {
    const { name, exports = {} } = packageJson(layer)
    return [name, ...Object.keys(exports).map((path) => name + path.slice(1))]
  }),
)

/** A file's imports that are carried out when it is loaded: neither types nor `import(…)`. */
const loadedBy = (file: string): ReadonlyArray<string> =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"]*?from )?"([^"]+)"/gms)].map(
    (match) => match[1]!,
  )

describe.each(layers.map((folder, level) => ({ folder, level })))("$folder", ({ folder, level }) => {
  const { name, dependencies = {}, devDependencies = {}, peerDependencies = {} } = packageJson(folder)
  const left = layers.slice(0, level).map((layer) => packageJson(layer).name)

  test("depends on the packages to its left alone", () => {
    const ours = Object.keys(dependencies).filter((dependency) => dependency.startsWith("@millrace/"))
    expect(ours.filter((dependency) => !left.includes(dependency))).toEqual([])
  })

  test("imports nothing that it does not declare, and no other package's insides", () => {
    const declared = new Set([...Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }), name])
    const wrong = sourcesOf(folder).flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
        .filter((specifier) => {
          const parts = specifier.split("/")
          const base = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0]!
          return !declared.has(base) || (base.startsWith("@millrace/") && !entries.has(specifier))
        })
        .map((specifier) => `${relative(root, file)} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  test("has no cycle of files", () => {
    const files = new Set(sourcesOf(folder))
    // Types vanish when compiled, so a cycle of types alone is none at run time.
    const edges = new Map(
      [...files].map((file) => [
        file,
        loadedBy(file)
          .map((target) => join(dirname(file), target.replace(/\.js$/, ".ts")))
          .filter((target) => files.has(target)),
      ]),
    )
    const cycles: Array<string> = []
    const done = new Set<string>()
    const walk = (file: string, trail: ReadonlyArray<string>): void => {
      if (trail.includes(file)) {
        cycles.push([...trail.slice(trail.indexOf(file)), file].map((f) => relative(root, f)).join(" -> "))
        return
      }
      if (done.has(file)) return
      for (const target of edges.get(file) ?? []) walk(target, [...trail, file])
      done.add(file)
    }
    for (const file of files) walk(file, [])
    expect(cycles).toEqual([])
  })

  test("loads its laws, and what they need, only when they are asked for", () => {
    const reached = new Set<string>()
    const reach = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      for (const target of loadedBy(file)) {
        if (target.startsWith(".")) reach(join(dirname(file), target.replace(/\.js$/, ".ts")))
        else reached.add(target)
      }
    }
    const entry = join(root, folder, "src/index.ts")
    if (sourcesOf(folder).includes(entry)) reach(entry)
    expect([...reached].filter((name) => /^fast-check$|^@millrace\/\w+\/laws$/.test(name))).toEqual([])
  })

  test("keeps its files short enough to read: 350 lines at most", () => {
    const long = sourcesOf(folder)
      .map((file) => ({ file: relative(root, file), lines: readFileSync(file, "utf8").split("\n").length }))
      .filter(({ lines }) => lines > 350)
    expect(long).toEqual([])
  })

  test("draws no randomness and reads no clock that could reach a result", () => {
    const wrong = sourcesOf(folder).flatMap((file) =>
      /\bMath\.random\(|\bnew Date\(|\bDate\.now\(/.test(readFileSync(file, "utf8")) ? [relative(root, file)] : [],
    )
    expect(wrong).toEqual([])
  })

  test("has no folder of odds and ends", () => {
    const odd = sourcesOf(folder)
      .map((file) => relative(root, file))
      .filter((file) => /(?:^|\/)(?:utils?|common|misc|helpers?)(?:\/|\.ts$)/.test(file))
    expect(odd).toEqual([])
  })
})
