/** Parity with independent implementations: a fixture's outputs and gradients against ours, on the default engine. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import {
  decodeSafetensors,
  Engine,
  flatten,
  type HostTensors,
  isParamSpec,
  mapTree,
  type ParamSpec,
  type ParamsOf,
  spec,
  type Tensors,
  type Tree,
} from "@millrace/core"
import { fromCheckpoint, type RenameTable, toCheckpoint } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"

/** One model and the fixtures that it is compared on. */
export interface ParityModel {
  /** What the README calls it. */
  readonly model: string
  readonly paper: string
  /** Figure or section of the paper. */
  readonly figure: string
  /** Below packages/models/src. */
  readonly file: string
  /** Names of files in tests/fixtures/parity. */
  readonly fixtures: ReadonlyArray<string>
  /** Largest difference from an output or a gradient, relative to the largest number of that tensor. */
  readonly tolerance: { readonly outputs: number; readonly gradients: number }
  readonly build: (config: unknown) => Built
}

interface Built {
  readonly params: Tree<ParamSpec>
  readonly table: RenameTable
  readonly apply: (params: Tree<tf.Tensor>, inputs: Tensors) => Tensors
}

/** A model with its config's schema, and with its tree of parameters typed. */
export const parityModel = <C, P extends Tree<ParamSpec>>(
  about: Omit<ParityModel, "build" | "tolerance"> & {
    readonly tolerance?: ParityModel["tolerance"]
    readonly config: Schema.Codec<C, unknown>
    readonly params: (config: C) => P
    readonly table: (config: C) => RenameTable
    readonly apply: (config: C, params: ParamsOf<P>, inputs: Tensors) => Tensors
  },
): ParityModel => ({
  ...about,
  tolerance: about.tolerance ?? { outputs: 1e-5, gradients: 1e-4 },
  build: (given) => {
    const config = Schema.decodeUnknownSync(about.config)(given)
    return {
      params: about.params(config),
      table: about.table(config),
      apply: (params, inputs) => about.apply(config, params as ParamsOf<P>, inputs),
    }
  },
})

/** What one fixture showed. */
export interface Parity {
  /** Class, package and version. */
  readonly oracle: string
  /** Largest relative differences, and the tensors that have them. */
  readonly outputs: Difference
  readonly gradients: Difference
}

export interface Difference {
  readonly tensor: string
  readonly value: number
}

const none: Difference = { tensor: "none", value: 0 }

/** Tensors whose names start with a prefix, without it. */
const under = (prefix: string, tensors: HostTensors): HostTensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  )

/** Names with a prefix. */
const named = <T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))

const largest = (tensor: HostTensors[string]): number =>
  Array.from(tensor.data).reduce((top, x) => Math.max(top, Math.abs(x)), 0)

/**
 * The largest difference of a tensor from the oracle's, relative to the oracle's largest number. Gradients that are 0 but
 * for rounding, such as a key bias's, are measured against a thousandth of the largest gradient of all.
 */
const difference = (ours: HostTensors, oracle: HostTensors): Difference => {
  const floor = 1e-3 * Math.max(0, ...Object.values(oracle).map(largest))
  return Object.entries(oracle).reduce((worst, [tensor, wanted]) => {
    const got = ours[tensor]
    if (got === undefined || got.shape.join() !== wanted.shape.join()) {
      throw new Error(`${tensor}: expected [${wanted.shape.join(", ")}], received [${got?.shape.join(", ") ?? "none"}]`)
    }
    const top = Array.from(wanted.data).reduce((far, x, i) => {
      const gap = Math.abs(x - got.data[i]!)
      return gap <= far ? far : Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
    }, 0)
    const value = top / Math.max(largest(wanted), floor, Number.MIN_VALUE)
    return value > worst.value ? { tensor, value } : worst
  }, none)
}

/** Compares a model with its oracle on one fixture. */
export const compare = (model: ParityModel, fixture: string) =>
  Effect.gen(function* () {
    const path = fileURLToPath(new URL(`../fixtures/parity/${fixture}.safetensors`, import.meta.url))
    const { tensors, metadata } = yield* decodeSafetensors(readFileSync(path), fixture)
    const { params: specs, table, apply } = model.build(JSON.parse(metadata.config ?? "{}"))
    const flat = flatten<ParamSpec>(specs, isParamSpec)
    const params = fromCheckpoint(table, flat, under("param/", tensors), fixture)
    const [given, cotangents] = [under("in/", tensors), under("cotangent/", tensors)]
    const inputGrads = Object.keys(under("inGrad/", tensors))
    const inputs: HostTensors = {
      ...named("param/", params),
      ...named("in/", given),
      ...named("cotangent/", cotangents),
    }
    const engine = yield* Engine
    const { run } = yield* engine.compile({
      name: fixture,
      state: {},
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, { dtype, shape }]) => [name, spec(dtype, shape)])),
      body: (_, all) => {
        const of = (prefix: string, names: ReadonlyArray<string>): Tensors =>
          Object.fromEntries(names.map((name) => [name, all[prefix + name]!]))
        const outputsOf = (at: Tensors, moved: Tensors): Tensors =>
          apply(
            mapTree(specs, isParamSpec, (name) => at[name]!),
            { ...of("in/", Object.keys(given)), ...moved },
          )
        const weighed = (...x: ReadonlyArray<tf.Tensor>): tf.Scalar => {
          const names = Object.keys(params)
          const at = Object.fromEntries(names.map((name, i) => [name, x[i]!]))
          const moved = Object.fromEntries(inputGrads.map((name, i) => [name, x[names.length + i]!]))
          const outputs = outputsOf(at, moved)
          return Object.keys(cotangents)
            .map((name) => tf.sum(tf.mul(outputs[name]!, all[`cotangent/${name}`]!)) as tf.Scalar)
            .reduce((a, b) => tf.add(a, b))
        }
        const at = of("param/", Object.keys(params))
        const learnt = [...Object.values(at), ...inputGrads.map((name) => all[`in/${name}`]!)]
        const grads = tf.grads(weighed)(learnt)
        const outputs = outputsOf(at, {})
        return {
          outputs: {
            ...named("out/", outputs),
            ...Object.fromEntries(Object.keys(params).map((name, i) => [`grad/${name}`, grads[i]!])),
            ...Object.fromEntries(
              inputGrads.map((name, i) => [`inGrad/${name}`, grads[Object.keys(params).length + i]!]),
            ),
          },
        }
      },
    })
    const results = yield* run({ inputs })
    const ours = { ...toCheckpoint(table, under("grad/", results)), ...named("inGrad/", under("inGrad/", results)) }
    const theirs = { ...under("grad/", tensors), ...named("inGrad/", under("inGrad/", tensors)) }
    const found: Parity = {
      oracle: metadata.oracle ?? "unknown",
      outputs: difference(under("out/", results), under("out/", tensors)),
      gradients: difference(ours, theirs),
    }
    return found
  }).pipe(Effect.scoped)
