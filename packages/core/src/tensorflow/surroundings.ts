/** What tfjs-node and TensorFlow find when they are loaded. */
import util from "node:util"

/** tfjs-node 4.22 calls helpers that Node 23 removed from `util`. */
export const restoreUtil = (): void => {
  const removed: Readonly<Record<string, (value: unknown) => boolean>> = {
    isArray: Array.isArray,
    isBoolean: (value) => typeof value === "boolean",
    isFunction: (value) => typeof value === "function",
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: (value) => typeof value === "number",
    isObject: (value) => typeof value === "object" && value !== null,
    isString: (value) => typeof value === "string",
    isUndefined: (value) => value === undefined,
  }
  for (const [name, helper] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value: helper, configurable: true, writable: true })
  }
}

/** TensorFlow's settings, for those that the user has not made. */
export const environment: Readonly<Record<string, string>> = {
  /** Errors alone: TensorFlow warns of each failure that it returns. */
  TF_CPP_MIN_LOG_LEVEL: "2",
}
