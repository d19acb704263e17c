import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"

const require = createRequire(import.meta.url)
const bin = join(dirname(require.resolve("@millrace/pipelines/package.json")), "bin", "millrace.js")
const counting = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "counting.js")

const module = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`

/** Names every module that is imported, on a descriptor of its own: the thread of hooks may end before its streams do. */
const hooks = module(`
  import { writeSync } from "node:fs"
  export const load = (url, context, next) => {
    writeSync(3, url + "\\n")
    return next(url, context)
  }
`)
const registering = module(`import { register } from "node:module"; register(${JSON.stringify(hooks)})`)

/** What a command imports: `rxjs` of other packages, `core/engine.js` of these. */
const loadedBy = (...args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { status, output } = spawnSync(process.execPath, ["--import", registering, bin, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  })
  expect(status).toBe(0)
  const names = (output[3] ?? "").split("\n").flatMap((url) => {
    const theirs = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
    const ours = /\/packages\/(\w+)\/dist\/(.+)$/.exec(url)
    return theirs ?? (ours === null ? [] : `${ours[1]}/${ours[2]}`)
  })
  return [...new Set(names)]
}

const ofPackage = (names: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  names.filter((one) => one.startsWith(`${name}/`)).toSorted()

const others = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((one) => !/^(?:core|models|pipelines)\//.test(one)).toSorted()

describe("the command", () => {
  test("reads its arguments with no model, tensor library or engine loaded", () => {
    const names = loadedBy("--version")
    expect(others(names)).toEqual(["@effect/platform-node-shared", "effect"])
    expect(ofPackage(names, "core")).toEqual(["core/engine.js", "core/errors.js", "core/stopRequest.js"])
    expect(ofPackage(names, "models")).toEqual(["models/paperNames.js"])
    expect(names).not.toContain("pipelines/cli/runCommand.js")
  })

  test("describes a model with nothing loaded that would run one", () => {
    const names = loadedBy("describe", "sparse", "--size", "dall-e-12b")
    expect(others(names)).toEqual(["@effect/platform-node-shared", "@tensorflow/tfjs-core", "effect"])
    expect(names).toContain("models/sparse.js")
    const running = /^core\/(?:engine|onnx|profile|safetensors|run\/(?!context))|^models\/(?:bpe|diffusion|weights)/
    expect(names.filter((name) => running.test(name) && name !== "core/engine.js")).toEqual([])
    expect(names.filter((name) => /^pipelines\/(?!cli\/|view\/(?:ink|images\/imageProtocol)\.js)/.test(name))).toEqual(
      [],
    )
  })

  test("lists runs with no model, tensor library or engine loaded", () => {
    const names = loadedBy("runs", "ls", "--out", "no-such-folder")
    expect(others(names)).toEqual(["@effect/platform-node-shared", "effect"])
    expect(names).toContain("core/runs/listRuns.js")
    expect(
      names.filter((name) => /^core\/(?:index|node|run\/runGraph|onnx)|^models\/(?!paperNames)/.test(name)),
    ).toEqual([])
  })

  test("loads what draws graphs only where one is drawn", () => {
    const names = loadedBy("draw", counting)
    expect(names).toContain("core/graph/draw/svg.js")
    expect(names).toContain("rxjs")
    expect(names).not.toContain("pipelines/cli/runCommand.js")
    expect(names).not.toContain("onnxruntime-node")
  })
})
