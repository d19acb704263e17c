/** The engines that not every machine has: tests run on them where they start, and elsewhere say that they did not. */
import { starts } from "../support/outcomes.js"

/** TensorFlow's engine where it is installed, else nothing. */
export const native: ReadonlyArray<"tfjs:node"> = (await starts("tfjs:node")) ? ["tfjs:node"] : []
