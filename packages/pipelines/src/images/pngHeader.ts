/** The chunks of a PNG, checked before anything is inflated. Source: PNG specification, third edition, sections 5 and 11. */
import { crc32 } from "node:zlib"
import type { Allow, Refuse } from "./refuse.js"

export interface PngHeader {
  readonly height: number
  readonly width: number
  /** Bits of a sample. */
  readonly depth: number
  readonly colour: "grey" | "rgb" | "palette" | "grey-alpha" | "rgba"
  /** Samples of a pixel. */
  readonly samples: number
  readonly interlaced: boolean
  /** 3 bytes a colour. */
  readonly palette?: Uint8Array
  /** `tRNS`: opacities of a palette, or the one value that is transparent. */
  readonly transparency?: Uint8Array
  /** The parts of the compressed stream. */
  readonly data: ReadonlyArray<Uint8Array>
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte)

const KINDS: Readonly<Record<number, readonly [PngHeader["colour"], samples: number, depths: ReadonlyArray<number>]>> =
  {
    0: ["grey", 1, [1, 2, 4, 8, 16]],
    2: ["rgb", 3, [8, 16]],
    3: ["palette", 1, [1, 2, 4, 8]],
    4: ["grey-alpha", 2, [8, 16]],
    6: ["rgba", 4, [8, 16]],
  }

const chunksOf = function* (bytes: Uint8Array, refuse: Refuse) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) return refuse("chunks up to IEND", `the file's end, after ${bytes.length} bytes`)
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    if (length > bytes.length - at - 12) {
      return refuse(
        `a chunk ${JSON.stringify(type)} of ${length} bytes`,
        `${bytes.length - at - 12} bytes, then the end`,
      )
    }
    // Chunks that begin with a small letter may be ignored, so their content is never looked at.
    const critical = (bytes[at + 4]! & 0x20) === 0
    if (
      (critical || type === "tRNS") &&
      crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)
    ) {
      return refuse(`a chunk ${JSON.stringify(type)} as its checksum says`, "other bytes")
    }
    yield { type, critical, content: bytes.subarray(at + 8, at + 8 + length) }
    if (type === "IEND") return
    at += 12 + length
  }
}

/** IHDR: 13 bytes, the first chunk of all. */
const sizeOf = (content: Uint8Array, refuse: Refuse) => {
  if (content.length !== 13) return refuse("a header of 13 bytes", `${content.length}`)
  const view = new DataView(content.buffer, content.byteOffset, 13)
  const [width, height, depth, type] = [view.getUint32(0), view.getUint32(4), content[8]!, content[9]!]
  const kind = KINDS[type]
  if (width === 0 || height === 0 || width > 0x7fff_ffff || height > 0x7fff_ffff) {
    return refuse("a height and width from 1 to 2^31 - 1", `${height} × ${width}`)
  }
  if (kind === undefined || !kind[2].includes(depth)) {
    return refuse("a colour type and depth that PNG has", `type ${type} with ${depth} bits`)
  }
  if (content[10] !== 0 || content[11] !== 0 || content[12]! > 1) {
    return refuse("the methods 0, 0 and 0 or 1", `${content.subarray(10).join(", ")}`)
  }
  return { height, width, depth, colour: kind[0], samples: kind[1], interlaced: content[12] === 1 }
}

/** What a PNG says of itself. Chunks that may be ignored are, whatever is in them; so is what follows IEND. */
export const pngHeader = (bytes: Uint8Array, refuse: Refuse, allow: Allow): PngHeader => {
  let size: ReturnType<typeof sizeOf> | undefined
  let palette: Uint8Array | undefined
  let transparency: Uint8Array | undefined
  const data: Array<Uint8Array> = []
  for (const { type, critical, content } of chunksOf(bytes, refuse)) {
    if ((size === undefined) !== (type === "IHDR")) refuse("IHDR first, and once", type)
    if (type === "IHDR") {
      size = sizeOf(content, refuse)
      allow(size.height, size.width)
    } else if (type === "PLTE") {
      if (content.length === 0 || content.length % 3 !== 0 || content.length > 768 || palette !== undefined) {
        refuse("one palette of 1 to 256 colours", `${content.length} bytes`)
      }
      palette = content
    } else if (type === "tRNS") transparency = content
    else if (type === "IDAT") data.push(content)
    else if (critical && type !== "IEND") refuse("IHDR, PLTE, IDAT and IEND alone to be needed", JSON.stringify(type))
  }
  if (size === undefined || data.length === 0) return refuse("image data", "none")
  if (size.colour === "palette" && palette === undefined) return refuse("a palette", "none")
  if (transparency !== undefined) {
    const fits: Record<PngHeader["colour"], boolean> = {
      grey: transparency.length === 2,
      rgb: transparency.length === 6,
      palette: transparency.length <= (palette?.length ?? 0) / 3,
      "grey-alpha": false,
      rgba: false,
    }
    if (!fits[size.colour]) refuse(`a transparency that fits ${size.colour}`, `${transparency.length} bytes`)
  }
  return {
    ...size,
    data,
    ...(palette === undefined ? {} : { palette }),
    ...(transparency === undefined ? {} : { transparency }),
  }
}
