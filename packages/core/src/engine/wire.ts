/** Tensors on their way between the processes: in messages of bounded size, and a tensor of one value as that value. */
import { type HostTensor, type HostTensors, type Specs, sizeOf, type TensorSpec } from "../tensor.js"

/** A tensor, or what fills it: the moments of an optimiser begin as zeros, as large as all parameters twice. */
export type WireTensor = HostTensor | (TensorSpec & { readonly fill: number })
export type WireTensors = Readonly<Record<string, WireTensor>>

/** Elements of the tensors of one message: a message is in memory several times while it crosses. */
const messageSize = 2 ** 23

/** Names in groups of bounded size; a larger tensor is alone. */
export const groupNames = (specs: Specs): ReadonlyArray<ReadonlyArray<string>> => {
  const groups: Array<Array<string>> = []
  let room = 0
  for (const [name, { shape }] of Object.entries(specs)) {
    const size = sizeOf(shape)
    if (groups.length === 0 || size > room) {
      groups.push([])
      room = messageSize
    }
    groups.at(-1)!.push(name)
    room -= size
  }
  return groups
}

const toWire = (tensor: HostTensor): WireTensor => {
  const { dtype, shape, data } = tensor
  const fill = data[0]
  return fill !== undefined && data.every((value: number) => Object.is(value, fill)) ? { dtype, shape, fill } : tensor
}

/** The named tensors as they cross. */
export const pickWire = (values: HostTensors, names: ReadonlyArray<string>): WireTensors =>
  Object.fromEntries(names.map((name) => [name, toWire(values[name]!)]))
