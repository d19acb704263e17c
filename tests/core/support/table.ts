/** The table of what every engine supports, from what ran. */
import type { HostTensor, HostTensors } from "@millrace/core"
import * as tf from "@tensorflow/tfjs-core"
import { type GradientCase, gradientCases, gradientsOfItsOwn } from "../onnx/gradientCases.js"
import { sizeOf } from "../onnx/plain.js"
import { inputsOf, slopesOf, weighted, wrong } from "../onnx/slopes.js"
import { type Call, compiled, type EagerName, eager, type Outcome } from "./outcomes.js"
import { type Operands, probes } from "./probes.js"

const dtypes = ["float32", "int32", "bool"] as const
const columns = [...dtypes, "gradient"] as const
const slopeCases: Readonly<Record<string, GradientCase>> = { ...gradientCases, ...gradientsOfItsOwn }

const operands: Readonly<Record<keyof Operands, ReadonlyArray<number>>> = {
  a: [3, 4],
  b: [3, 4],
  image: [2, 4, 6, 2],
  ids: [3],
}

/** Numbers in (0, 1) for float32, 1 to 3 for int32, irregular for bool; ids are rows, one of them twice. */
const valuesOf = (name: string, dtype: HostTensor["dtype"], shape: ReadonlyArray<number>): HostTensor => {
  const uniform = Array.from(
    { length: sizeOf(shape) },
    (_, i) => ((i * 37 + name.charCodeAt(0) * 11) % 101) / 112 + 0.05,
  )
  if (dtype === "float32") return { dtype, shape, data: Float32Array.from(uniform) }
  if (name === "ids") return { dtype, shape, data: Int32Array.of(2, 0, 2) }
  return dtype === "int32"
    ? { dtype, shape, data: Int32Array.from(uniform, (u) => 1 + Math.floor(3 * u)) }
    : { dtype, shape, data: Uint8Array.from(uniform, (u) => (u < 0.5 ? 1 : 0)) }
}

const forward = (kernel: string, dtype: HostTensor["dtype"]): Call => ({
  values: Object.fromEntries(
    Object.entries(operands).map(([name, shape]) => [name, valuesOf(name, name === "ids" ? "int32" : dtype, shape)]),
  ),
  body: ({ a, b, image, ids }) => {
    const given = { a: a as tf.Tensor2D, b: b as tf.Tensor2D, image: image as tf.Tensor4D, ids: ids as tf.Tensor1D }
    const made = probes[kernel]!.call(given)
    return made instanceof tf.Tensor ? [made] : made
  },
})

const backward = ({ shapes, op }: GradientCase, seed: number, given: GradientCase): Call => ({
  values: Object.fromEntries(
    inputsOf(given, seed).map((values, i): readonly [string, HostTensors[string]] => [
      `x${i}`,
      { dtype: "float32", shape: shapes[i]!, data: Float32Array.from(values) },
    ]),
  ),
  body: (given) => tf.grads((...x) => weighted(op(...x)))(shapes.map((_, i) => given[`x${i}`]!)),
})

const seed = 3
const calls: ReadonlyMap<string, Call> = new Map(
  Object.entries(probes).flatMap(([kernel, { slope }]) => [
    ...dtypes.map((dtype) => [`${kernel}:${dtype}`, forward(kernel, dtype)] as const),
    ...(slope === undefined
      ? []
      : [[`${kernel}:gradient`, backward(slopeCases[slope]!, seed, slopeCases[slope]!)] as const]),
  ]),
)

/** Calls that every backend can do come first. */
const inOrder = columns
  .toSorted((a, b) => Number(b === "gradient") - Number(a === "gradient"))
  .flatMap((column) => [...calls].filter(([key]) => key.endsWith(`:${column}`)))

/** Every call on every engine that starts here. */
export const runAll = async (
  engines: ReadonlyArray<EagerName>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Outcome>>> => {
  const all = new Map<string, ReadonlyMap<string, Outcome>>([["onnx", await compiled(calls)]])
  for (const engine of engines) {
    const outcomes = new Map<string, Outcome>()
    for (const [key, call] of inOrder) outcomes.set(key, await eager(engine, call))
    all.set(engine, outcomes)
  }
  return all
}

const tolerance = 2e-5

/** Why results differ, or null. */
const difference = (got: ReadonlyArray<HostTensor>, wanted: ReadonlyArray<HostTensor>): string | null => {
  for (const [i, { dtype, shape, data }] of wanted.entries()) {
    const own = got[i]
    if (own === undefined) return `${got.length} results instead of ${wanted.length}`
    if (own.dtype !== dtype) return `${own.dtype} instead of ${dtype}`
    if (String(own.shape) !== String(shape)) return `shape [${own.shape}] instead of [${shape}]`
    // A bool is what is not zero: tfjs adds bools up.
    const numbers = (values: HostTensor["data"]): Array<number> =>
      [...values].map((value) => (dtype === "bool" ? Number(value !== 0) : value))
    if (wrong(numbers(own.data), numbers(data), dtype === "float32" ? tolerance : 0) !== null) return "other numbers"
  }
  return null
}

type Outcomes = ReadonlyMap<string, ReadonlyMap<string, Outcome>>
interface Cell {
  readonly word: string
  readonly note?: string
}
const agrees: Cell = { word: "✓" }
const absent: Cell = { word: "–" }

const isMissing = (outcome: Outcome): boolean =>
  typeof outcome === "string" && /not registered for backend/.test(outcome)

const gradientCell = (kernel: string, outcome: Outcome | undefined): Cell => {
  const { slope } = probes[kernel]!
  if (slope === undefined || outcome === undefined) return absent
  if (typeof outcome === "string") {
    return isMissing(outcome)
      ? { word: "missing", note: outcome.replace(/^.*(Kernel '\w+').*$/, "$1") }
      : { word: "fails", note: outcome }
  }
  const slopes = slopesOf(slopeCases[slope]!, inputsOf(slopeCases[slope]!, seed))
  const right = slopes.every((wanted, i) => wrong(outcome[i]!.data, wanted, tolerance) === null)
  return right ? agrees : { word: "wrong", note: "not the slope of the result" }
}

/** `onnx` and `tfjs:cpu` are measured by each other, every other engine by `tfjs:cpu`; plain loops where there are some. */
const forwardCell = (engine: string, kernel: string, dtype: string, all: Outcomes): Cell => {
  const key = `${kernel}:${dtype}`
  const outcome = all.get(engine)!.get(key)!
  const others = [...all].filter(([name]) => name !== engine).map(([, outcomes]) => outcomes.get(key)!)
  if (typeof outcome === "string") {
    // What no engine does, tfjs refuses.
    if (others.every((other) => typeof other === "string")) return absent
    return isMissing(outcome) ? { word: "missing" } : { word: "fails", note: outcome }
  }
  const { plain } = probes[kernel]!
  if (plain !== undefined && dtype === "float32") {
    const [a, b] = ["a", "b"].map((name) => [...calls.get(key)!.values[name]!.data])
    const fault = wrong(outcome[0]!.data, plain(a!, b!), tolerance)
    return fault === null ? agrees : { word: "wrong", note: "not what plain loops give" }
  }
  const reference = engine === "tfjs:cpu" ? "onnx" : "tfjs:cpu"
  const wanted = all.get(reference)!.get(key)!
  if (typeof wanted === "string") return { word: "alone" }
  const fault = difference(outcome, wanted)
  return fault === null ? agrees : { word: "differs", note: `from ${reference}: ${fault}` }
}

/** The section of one engine. */
export const section = (engine: string, all: Outcomes): string => {
  const notes: Array<string> = []
  const show = ({ word, note }: Cell): string => {
    if (note === undefined) return word
    if (!notes.includes(note)) notes.push(note)
    return `${word} (${notes.indexOf(note) + 1})`
  }
  const rows = Object.keys(probes)
    .sort()
    .map((kernel) => {
      const cells = columns.map((column) =>
        column === "gradient"
          ? gradientCell(kernel, all.get(engine)!.get(`${kernel}:gradient`))
          : forwardCell(engine, kernel, column, all),
      )
      return `| ${[kernel, ...cells.map(show)].join(" | ")} |`
    })
  const table = [`| kernel | ${columns.join(" | ")} |`, "|---|---|---|---|---|", ...rows]
  const numbered = notes.map((note, i) => `${i + 1}. ${note}`)
  return [`## ${engine}`, "", ...table, ...(notes.length === 0 ? [] : ["", ...numbered])].join("\n")
}
