/** A worker's end of the conversation, for workers that are Node programs. */
import { createInterface } from "node:readline"
import type { Request } from "./protocol.js"

export type Handlers = {
  readonly [K in Request["do"]]?: (request: Extract<Request, { readonly do: K }>) => Promise<object>
}

const say = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

const answer = (handlers: Handlers, request: Request): Promise<object> => {
  // One row of the table a kind of request: that they fit is what its type says.
  const handle = handlers[request.do] as ((request: Request) => Promise<object>) | undefined
  return handle === undefined ? Promise.reject(new Error(`does not know how to ${request.do}`)) : handle(request)
}

/** Says hello, then answers until there are no more requests. Whatever libraries print goes to stderr. */
export const serve = async (
  hello: { readonly version: string; readonly threads?: number } | { readonly missing: string },
  handlers: Handlers,
): Promise<void> => {
  console.log = console.error
  say(hello)
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(handlers, JSON.parse(line) as Request))
    } catch (error) {
      say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
}
