/** Tensors on their way between the processes: in pieces, in messages of bounded size, and a piece of one value as that value. */
import { type HostTensor, type Specs, sizeOf } from "../tensor.js"

/** The elements `begin` to `end` of a tensor, in row-major order. */
export interface Range {
  readonly begin: number
  readonly end: number
}
export type Ranges = Readonly<Record<string, Range>>

/** A piece of a tensor, or what fills it: the moments of an optimiser begin as zeros, as large as all parameters twice. */
export type Piece = { readonly begin: number; readonly data: HostTensor["data"] } | (Range & { readonly fill: number })
export type Pieces = Readonly<Record<string, Piece>>

/** Elements of the pieces of one message: a message is in memory several times while it crosses. */
const messageSize = 2 ** 20

/** All elements of the tensors in order, in messages of bounded size: each holds at most one piece of a tensor. */
export const messagesOf = (specs: Specs): ReadonlyArray<Ranges> => {
  const messages: Array<Record<string, Range>> = []
  let room = 0
  for (const [name, { shape }] of Object.entries(specs)) {
    const size = sizeOf(shape)
    let begin = 0
    do {
      if (messages.length === 0 || (room === 0 && size > 0)) {
        messages.push({})
        room = messageSize
      }
      const end = Math.min(size, begin + room)
      messages.at(-1)![name] = { begin, end }
      room -= end - begin
      begin = end
    } while (begin < size)
  }
  return messages
}

const bytesOf = ({ buffer, byteOffset }: HostTensor["data"], from: number, length: number): Uint8Array =>
  new Uint8Array(buffer, byteOffset + from, length)

/** Whether all elements are the same bits: then each is the one before it. */
const isUniform = (data: HostTensor["data"]): boolean => {
  const rest = data.byteLength - data.BYTES_PER_ELEMENT
  return rest >= 0 && Buffer.compare(bytesOf(data, 0, rest), bytesOf(data, data.BYTES_PER_ELEMENT, rest)) === 0
}

/** The elements from `begin` on, as they cross. */
export const toPiece = (data: HostTensor["data"], begin: number): Piece =>
  isUniform(data) ? { begin, end: begin + data.length, fill: data[0]! } : { begin, data }
