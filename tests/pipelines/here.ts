/** The command line without a process of its own: what it prints, and the code that it ends with. */
import { execute } from "@millrace/pipelines"
import { Effect } from "effect"
import { vi } from "vitest"

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const here = async (args: ReadonlyArray<string>): Promise<Ended> => {
  const texts = { out: "", err: "" }
  const listen = (name: "out" | "err") => (text: string | Uint8Array) => {
    texts[name] += text
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(listen("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(listen("err")),
    vi.spyOn(console, "error").mockImplementation((...parts) => void listen("err")(`${parts.join(" ")}\n`)),
  ]
  try {
    return { code: await Effect.runPromise(execute(args)), ...texts }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
