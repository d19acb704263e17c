/**
 * Ports: the type of what travels on a wire. A tensor port is a dtype, axes and a unit; an artifact port is a kind.
 * Both are `Port`s, so one builder wires models and stages alike.
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { ArtifactKind } from "./artifact.js"
import type { DType } from "./tensor.js"

/** A port, all in the type. `V` is the type of the values that it carries; it exists for the compiler alone. */
export interface Port<D extends string = string, A extends string = string, U extends string = string, V = unknown> {
  readonly dtype: D
  readonly axes: A
  readonly unit: U
  readonly kind?: ArtifactKind<string, V>
  readonly value?: (_: never) => V
}

/** A port for tensors: `tensor("int32", "b t", "token")`. */
export type TensorPort<D extends DType = DType, A extends string = string, U extends string = string> = Port<
  D,
  A,
  U,
  tf.Tensor
>

/** A port for artifacts: `artifact(weights)`. The unit is the kind's name. */
export type ArtifactPort<K extends string = string, V = unknown> = Port<"artifact", "", K, V>

export type Ports = Readonly<Record<string, Port>>

/** The type of the values on a port. */
export type ValueOf<P> = P extends Port<string, string, string, infer V> ? V : never

// Overloads, not a defaulted type parameter: a default lets the call site widen the unit to `string` and breaks chains.
export function tensor<const D extends DType, const A extends string>(dtype: D, axes: A): TensorPort<D, A, "">
export function tensor<const D extends DType, const A extends string, const U extends string>(
  dtype: D,
  axes: A,
  unit: U,
): TensorPort<D, A, U>
export function tensor(dtype: DType, axes: string, unit = ""): TensorPort {
  return { dtype, axes, unit }
}

/** A port that carries artifacts of a kind. */
export const artifact = <const K extends string, V>(kind: ArtifactKind<K, V>): ArtifactPort<K, V> => ({
  dtype: "artifact",
  axes: "",
  unit: kind.name,
  kind,
})

/** `float32 [b t v] logit`, `artifact weights` */
export const showPort = ({ dtype, axes, unit }: Port): string =>
  dtype === "artifact" ? `artifact ${unit}` : `${dtype} [${axes}]${unit === "" ? "" : ` ${unit}`}`

const spaced = (axes: string): string =>
  axes
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\( | \)/g, (s) => s.trim())
    .trim()

/** Whether two ports are one type: dtype, unit and axes, spaces aside. */
export const samePort = (a: Port, b: Port): boolean =>
  a.dtype === b.dtype && a.unit === b.unit && spaced(a.axes) === spaced(b.axes)
