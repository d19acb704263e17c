/** Parameters for tests: every one of them different from zero and from its neighbours, so that no term hides. */
import { flatten, isParamSpec, mapTree, type ParamSpec, sizeOf, type Tree } from "@millrace/core"
import type { GptParams, GptTree } from "@millrace/models"
import * as tf from "@tensorflow/tfjs-core"
import { type FlatParams, wave } from "./gpt.js"

/** Flat float64 parameters for a tree of specs; gains are near 1. */
export const testParams = (specs: Tree<ParamSpec>, seed = 0, scale = 0.3): FlatParams =>
  Object.fromEntries(
    Object.entries(flatten(specs, isParamSpec)).map(([name, { shape }], i) => {
      const values = wave(sizeOf(shape), seed * 1000 + i, scale)
      return [name, name.endsWith("gain") ? values.map((v) => Math.fround(1 + v)) : values]
    }),
  )

/** The same parameters as float32 tensors in a tree. */
export const tensorsOf = <S extends Tree<ParamSpec>>(specs: S, values: FlatParams): Tree<tf.Tensor> =>
  mapTree<ParamSpec, tf.Tensor>(specs, isParamSpec, (name, { shape }) =>
    tf.tensor(Float32Array.from(values[name]!), [...shape], "float32"),
  )

export const gptTensors = (specs: GptTree<ParamSpec>, values: FlatParams): GptParams =>
  tensorsOf(specs, values) as GptParams
