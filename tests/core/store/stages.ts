/** Stages that count their runs, for the tests of the store. */
import { artifact, artifactKind, BadData, defineStageNode, Stage } from "@millrace/core"
import { Effect, Schema } from "effect"

const encode = (value: number) => new TextEncoder().encode(`${value}`)

const number = artifactKind(
  "number",
  (value: number) => ({ "value.txt": encode(value), "twice.txt": encode(2 * value) }),
  (files) => {
    const value = Number(new TextDecoder().decode(files["value.txt"]))
    return Number.isFinite(value)
      ? Effect.succeed(value)
      : new BadData({ where: "value.txt", expected: "a number", received: "none", fix: "write one" })
  },
)
/** Its files do not hold the value. */
const listed = artifactKind("listed", (value: number) => ({ "manifest.txt": encode(Math.sign(value)) }))

/** Its value is code, of which the files hold a name. */
const rule = artifactKind(
  "rule",
  (value: { readonly of: (x: number) => number }) => ({ "at-one.txt": encode(value.of(1)) }),
  () => new BadData({ where: "rule", expected: "a rule", received: "its name", fix: "run the stage that makes it" }),
)

export const port = artifact(number)

/** Names of the stages that ran, in order. */
export const ran: Array<string> = []

/** What a volatile stage reads. */
export const outside = { value: 1 }

const counting = <A>(value: A) =>
  Effect.gen(function* () {
    const { name, emit, keep } = yield* Stage
    ran.push(name)
    yield* emit({ type: "stage.table", title: "Value", columns: ["of", "value"], rows: [[name, Number(value)]] })
    yield* keep("picture", { "000001.png": encode(Number(value)) }, "images")
    return value
  })

const value = Schema.Struct({ value: Schema.Finite })

export const constant = defineStageNode({
  type: "store.constant",
  version: 1,
  config: value,
  ports: { in: {}, out: port },
  run: ({ value }) => counting(value),
})

export const plus = defineStageNode({
  type: "store.plus",
  version: 1,
  config: value,
  ports: { in: { x: port }, out: port },
  run: ({ value }, { x }) => counting(x + value),
})

export const manifest = defineStageNode({
  type: "store.manifest",
  version: 1,
  config: value,
  ports: { in: {}, out: artifact(listed) },
  run: ({ value }) => counting(value),
})

export const unlist = defineStageNode({
  type: "store.unlist",
  version: 1,
  config: value,
  ports: { in: { x: artifact(listed) }, out: port },
  run: ({ value }, { x }) => counting(x + value),
})

export const reading = defineStageNode({
  type: "store.reading",
  version: 1,
  config: Schema.Struct({}),
  ports: { in: {}, out: port },
  volatile: true,
  run: () => Effect.suspend(() => counting(outside.value)),
})

export const adding = defineStageNode({
  type: "store.adding",
  version: 1,
  config: value,
  ports: { in: {}, out: artifact(rule) },
  run: ({ value }) => Effect.as(counting(value), { of: (x: number) => x + value }),
})

export const applied = defineStageNode({
  type: "store.applied",
  version: 1,
  config: value,
  ports: { in: { rule: artifact(rule) }, out: port },
  run: ({ value }, { rule }) => counting(rule.of(value)),
})
