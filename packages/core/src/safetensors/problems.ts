/** What is wrong with a file, gathered so that one error tells all of it. */
import { BadData } from "../errors.js"

export const AGAIN = "the file is damaged or was cut short: write or download it again"
export const CONVERT = "save the tensor as float32, int32 or bool, for example with .to(torch.float32)"

/** A foreign value for an error message. */
export const excerpt = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

export interface Problems {
  /** @param of  the tensor's name, and what to do where that is not to write the file again */
  readonly add: (expected: string, received: string, of?: { readonly name?: string; readonly fix?: string }) => void
  /** @throws BadData  all that was added, a line each, if anything was */
  readonly raise: () => void
}

export const problemsIn = (where: string): Problems => {
  const found: Array<{ expected: string; received: string; name: string | null; fix: string }> = []
  return {
    add: (expected, received, { name, fix = AGAIN } = {}) => {
      found.push({ expected, received, name: name === undefined ? null : excerpt(name), fix })
    },
    raise: () => {
      const [first, ...more] = found
      if (first === undefined) return
      if (more.length === 0) {
        const { name, ...fields } = first
        throw new BadData({ ...fields, where: name === null ? where : `${where} > ${name}` })
      }
      const line = (name: string | null, text: string): string => (name === null ? text : `${name}: ${text}`)
      throw new BadData({
        where,
        expected: found.map(({ name, expected }) => line(name, expected)).join("\n"),
        received: found.map(({ name, received }) => line(name, received)).join("\n"),
        fix: [...new Set(found.map(({ fix }) => fix))].join("; "),
      })
    },
  }
}
