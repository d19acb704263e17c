/** What the processor can do that decides how an engine computes: with other instructions, sums are taken in another order. */
import { readFileSync } from "node:fs"
import { arch } from "node:os"

/** Those that kernels of the engines are chosen by. */
const deciding = ["sse4_1", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx_vnni", "amx_tile", "sve"]

/** `x64 avx avx2 fma sse4_1`; where the system does not tell more, the architecture alone. */
export const instructionSet = (): string => {
  try {
    const text = readFileSync("/proc/cpuinfo", "utf8")
    const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/))
    return [arch(), ...deciding.filter((name) => flags.has(name)).sort()].join(" ")
  } catch {
    return arch()
  }
}
