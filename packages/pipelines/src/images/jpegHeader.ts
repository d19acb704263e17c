/**
 * The segments of a JPEG, walked to its end before anything is decoded: what is kept is what decoding needs.
 * Source   ITU-T T.81, annex B; Exif 2.3, section 4.6.
 */
import { orientationOf } from "./exif.js"
import type { Allow, Refuse } from "./refuse.js"

export interface JpegHeader {
  readonly height: number
  readonly width: number
  /** What is stored: brightness alone, brightness and colour differences, or red, green, blue. */
  readonly colour: "grey" | "ycc" | "rgb"
  /** 1 to 8, as Exif counts: how the stored image is to be turned. */
  readonly orientation: number
  /** The file without what decoding does not need. */
  readonly needed: Uint8Array
}

export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff

/** A progressive file of an encoder has about ten; each costs a walk over the whole image, however short it is. */
const SCANS = 64

const textAt = (bytes: Uint8Array, at: number, text: string): boolean =>
  [...text].every((character, i) => bytes[at + i] === character.charCodeAt(0))

interface Frame {
  readonly height: number
  readonly width: number
  readonly ids: ReadonlyArray<number>
  /** 8 × 8 blocks of all components. */
  readonly blocks: number
}

const frameOf = (marker: number, content: Uint8Array, refuse: Refuse, allow: Allow): Frame => {
  if (marker > 0xc2) refuse("baseline, extended or progressive JPEG with Huffman codes", `SOF${marker - 0xc0}`)
  const [precision, count] = [content[0], content[5]]
  if (precision !== 8) refuse("8 bits a sample", `${precision}`)
  if (count === 4) refuse("grey or colour for screens", "four components, as for print (CMYK)")
  if (count !== 1 && count !== 3) refuse("1 or 3 components", `${count}`)
  if (content.length !== 6 + 3 * count!) refuse(`a frame header for ${count} components`, `${content.length} bytes`)
  const height = (content[1]! << 8) | content[2]!
  const width = (content[3]! << 8) | content[4]!
  if (height === 0 || width === 0) refuse("a height and width of at least 1", `${height} × ${width}`)
  allow(height, width)
  const components = Array.from({ length: count! }, (_, i) => content.subarray(6 + 3 * i, 9 + 3 * i))
  const factors = components.map((component) => [component[1]! >> 4, component[1]! & 15] as const)
  const most = [0, 1].map((axis) => Math.max(...factors.map((factor) => factor[axis]!))) as [number, number]
  for (const factor of factors) {
    // A component that is not a whole fraction of the largest has no pixels of its own size.
    if (factor.some((part, axis) => part < 1 || part > 4 || most[axis]! % part !== 0)) {
      refuse("samplings of 1 to 4 that divide the largest", `${factor.join(" × ")} of ${most.join(" × ")}`)
    }
  }
  const [columns, rows] = [Math.ceil(width / 8 / most[0]), Math.ceil(height / 8 / most[1])]
  const blocks = factors.reduce((sum, [h, v]) => sum + columns * h * rows * v, 0)
  return { height, width, ids: components.map((component) => component[0]!), blocks }
}

/** The first marker after compressed data, which ends where 0xff is followed by neither 0 nor a restart. */
const endOfScan = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (at + 1 < bytes.length) {
    const next = bytes[at + 1]!
    if (bytes[at] === 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at
    at++
  }
  return bytes.length
}

/** What a JPEG says of itself. Comments, profiles, thumbnails and what follows the end are left out. */
export const jpegHeader = (bytes: Uint8Array, refuse: Refuse, allow: Allow): JpegHeader => {
  const parts: Array<Uint8Array> = [bytes.subarray(0, 2)]
  let frame: Frame | undefined
  let adobe: number | undefined
  let orientation = 1
  let scans = 0
  let compressed = 0
  let at = 2
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
    const marker = bytes[at + 1]
    if (marker === undefined) return refuse("a JPEG with its end", `the file's end, after ${bytes.length} bytes`)
    if (bytes[at] !== 0xff) return refuse("a marker", `byte ${bytes[at]} at ${at}`)
    if (marker === 0xd9) {
      parts.push(bytes.subarray(at, at + 2))
      break
    }
    const length = at + 3 < bytes.length ? (bytes[at + 2]! << 8) | bytes[at + 3]! : 0
    const end = at + 2 + length
    if (length < 2 || end > bytes.length) {
      return refuse(
        `a segment of ${length} bytes at ${at}`,
        `${Math.max(0, bytes.length - at - 2)} bytes, then the end`,
      )
    }
    const content = bytes.subarray(at + 4, end)
    const [isFrame, isScan] = [
      marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker),
      marker === 0xda,
    ]
    if (isFrame) {
      if (frame !== undefined) refuse("one frame", "another")
      frame = frameOf(marker, content, refuse, allow)
    } else if (isScan) {
      if (frame === undefined) refuse("a frame before its scans", "a scan")
      if (++scans > SCANS) refuse(`at most ${SCANS} scans`, "more")
    } else if (marker === 0xe1 && textAt(content, 0, "Exif\0\0")) orientation = orientationOf(content.subarray(6))
    else if (marker === 0xee && textAt(content, 0, "Adobe")) adobe = content[11]
    const after = isScan ? endOfScan(bytes, end) : end
    if (isScan) compressed += after - end
    // Tables, frames, scans and the restart interval.
    if (isFrame || isScan || [0xc4, 0xdb, 0xdd].includes(marker)) parts.push(bytes.subarray(at, after))
    at = after
  }
  if (frame === undefined || scans === 0) return refuse("a frame and a scan", "none")
  // No block takes less than a bit, so a header cannot ask for much more memory than the file has bits.
  if (compressed * 8 < frame.blocks) {
    return refuse(`${frame.height} × ${frame.width} pixels' worth of data`, `${compressed} bytes of it`)
  }
  const { height, width, ids } = frame
  const rgb = adobe === 0 || (adobe === undefined && String.fromCharCode(...ids) === "RGB")
  const colour = ids.length === 1 ? "grey" : rgb ? "rgb" : "ycc"
  return { height, width, colour, orientation, needed: Buffer.concat(parts) }
}
