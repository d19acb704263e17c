import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { here } from "./here.js"

const counting = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "fixtures", "graphs", "counting.js")

interface Span {
  readonly name: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
}

const received: Array<Span> = []
const server = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => {
    body += chunk
  })
  request.on("end", () => {
    if (request.url === "/v1/traces") {
      const { resourceSpans } = JSON.parse(body)
      for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) received.push(...spans)
    }
    response.end("{}")
  })
})

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-traces-"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
})
afterAll(async () => {
  vi.unstubAllEnvs()
  server.close()
  await rm(folder, { recursive: true })
})

const run = () => here(["run", counting, "--engine", "tfjs:cpu", "--quiet", "--out", folder])
const named = (name: string) => received.find((span) => span.name === name)!
const attributes = ({ attributes }: Span) => Object.fromEntries(attributes.map(({ key, value }) => [key, value]))

test("a run is a span, and so is each of its stages within it, where an exporter is configured; without one nothing is sent", async () => {
  expect((await run()).code).toBe(0)
  expect(received).toEqual([])
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect((await run()).code).toBe(0)
  const whole = named("run counting")
  for (const stage of ["first", "total"]) {
    expect(named(stage).parentSpanId).toBe(whole.spanId)
    expect(BigInt(named(stage).startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(whole.startTimeUnixNano))
    expect(BigInt(named(stage).endTimeUnixNano)).toBeLessThanOrEqual(BigInt(whole.endTimeUnixNano))
    expect(attributes(named(stage))).toMatchObject({ "millrace.cached": { boolValue: true } })
  }
  expect(attributes(named("total"))).toMatchObject({ "millrace.node": { stringValue: "counting.count@1" } })
})

test("an exporter that nobody listens to costs no run", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
  expect((await run()).code).toBe(0)
})
