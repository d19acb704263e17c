/** The command line without a process of its own: what it prints, and the code that it ends with. */
import { execute } from "@millrace/pipelines"
import { Effect } from "effect"
import { vi } from "vitest"

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** @param provide  gives the command services in place of the machine's own */
export const here = async (
  args: ReadonlyArray<string>,
  provide: (command: Effect.Effect<number>) => Effect.Effect<number> = (command) => command,
): Promise<Ended> => {
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
    return { code: await Effect.runPromise(provide(execute(args))), ...texts }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
