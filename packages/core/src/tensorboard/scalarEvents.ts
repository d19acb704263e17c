/**
 * Scalars as a TensorBoard event file. Of the messages, three are written, with these fields:
 *   Event    wall_time = 1 (double)  step = 2 (int64)  file_version = 3 (string)  summary = 5 (Summary)
 *   Summary  value = 1 (Value, repeated)
 *   Value    tag = 1 (string)  simple_value = 2 (float)
 * Source: `tensorflow/core/util/event.proto`, `tensorflow/core/framework/summary.proto`.
 */
import { encodeRecords } from "./records.js"

export interface ScalarPoint {
  readonly step: number
  /** Seconds since 1970. */
  readonly time: number
  /** By tag. TensorBoard keeps them as float32. */
  readonly values: Readonly<Record<string, number>>
}

const utf8 = new TextEncoder()

const varint = (value: number): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return bytes
}

const wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const

const tagged = (field: number, type: number, bytes: Iterable<number>): ReadonlyArray<number> => [
  (field << 3) | type,
  ...bytes,
]

const double = (field: number, value: number): ReadonlyArray<number> => {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setFloat64(0, value, true)
  return tagged(field, wire.double, new Uint8Array(bytes.buffer))
}

const float = (field: number, value: number): ReadonlyArray<number> => {
  const bytes = new DataView(new ArrayBuffer(4))
  bytes.setFloat32(0, value, true)
  return tagged(field, wire.float, new Uint8Array(bytes.buffer))
}

const delimited = (field: number, bytes: ArrayLike<number>): ReadonlyArray<number> =>
  tagged(field, wire.bytes, [...varint(bytes.length), ...Array.from(bytes)])

const text = (field: number, value: string): ReadonlyArray<number> => delimited(field, utf8.encode(value))

const summary = (values: ScalarPoint["values"]): ReadonlyArray<number> =>
  Object.entries(values).flatMap(([tag, value]) => delimited(1, [...text(1, tag), ...float(2, value)]))

/**
 * The bytes of a file `events.out.tfevents.…`. Equal points give equal bytes.
 * @param began  seconds since 1970, of the file's own first record
 */
export const scalarEvents = (began: number, points: ReadonlyArray<ScalarPoint>): Uint8Array =>
  encodeRecords(
    [
      [...double(1, began), ...text(3, "brain.Event:2")],
      ...points.map(({ step, time, values }) => [
        ...double(1, time),
        ...tagged(2, wire.varint, varint(step)),
        ...delimited(5, summary(values)),
      ]),
    ].map((record) => Uint8Array.from(record)),
  )
