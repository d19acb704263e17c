/** Which tfjs kernels a program may be made of. */
import { expansions } from "./expansions.js"
import { kernels } from "./kernels.js"

/** The names of all kernels that capture takes, in alphabetical order. */
export const supportedKernels: ReadonlyArray<string> = [...new Set([...kernels.keys(), ...expansions.keys()])].sort()
