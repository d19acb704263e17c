/** What the compiler prints for the mistakes that everyone makes: whole sentences, without the names of inner types. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")

const start = `
import { defineTensorNode, graph, replaceNode, tensor } from "@millrace/core"
import { Schema } from "effect"
const node = <const In extends Record<string, ReturnType<typeof tensor>>, const Out extends ReturnType<typeof tensor>>(
  type: string, inputs: In, out: Out,
) => defineTensorNode({
  type, version: 1, config: Schema.Struct({}), ports: () => ({ in: inputs, out }),
  apply: () => { throw new Error("only its type is of use here") },
})({})
const words = tensor("int32", "b t", "token")
const embed = node("embed", { tokens: words }, tensor("float32", "b t d"))
const project = node("project", { x: embed.out }, tensor("float32", "b t v", "logit"))
const residual = node("residual", { x: embed.out }, embed.out)
const loss = node("loss", { logits: project.out, targets: words }, tensor("float32", ""))
const decode = node("decode", { codes: tensor("int32", "b s", "code") }, tensor("float32", "b y x c"))
const g = graph("gpt", { tokens: words, targets: words, text: tensor("int32", "n s", "token") })
  .node("x", embed, { tokens: "tokens" })
  .node("logits", project, { x: "x" })
`

/** One mistake each, on one line. */
const mistakes = {
  "a wire that does not fit": 'g.node("again", project, { x: "tokens" })',
  "a port that no wire fits": 'g.node("images", decode, { codes: "tokens" })',
  "a typo in a wire": 'g.node("again", embed, { tokens: "tokns" })',
  "a missing wire": 'g.node("loss", loss, { logits: "logits" })',
  "a typo in a port": 'g.node("loss", loss, { logits: "logits", target: "targets" })',
  "a port that is not there": 'g.node("again", embed, { input: "tokens" })',
  "a name in use": 'g.node("x", embed, { tokens: "tokens" })',
  "a name with a dot": 'g.node("x.y", embed, { tokens: "tokens" })',
  "an output that is not there": 'g.output("los")',
  "sharing with no node": 'g.node("again", embed, { tokens: "tokens" }, { shares: "y" })',
  "an axis that the node lacks": 'g.node("again", embed, { tokens: "text" }, { axes: { b: "n", s: "t" } })',
  "two axes of one name": 'g.node("again", embed, { tokens: "text" }, { axes: { b: "n", t: "n" } })',
  "a replacement that needs more": 'replaceNode(g.output("logits"), "x", decode)',
  "a replacement that gives something else": 'replaceNode(g.output("logits"), "logits", residual)',
  "a replacement of no node": 'replaceNode(g.output("logits"), "y", embed)',
} as const

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "messages-"))
  await symlink(join(root, "node_modules"), join(folder, "node_modules"))
  await mkdir(join(folder, "src"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  const compilerOptions = { composite: false, noEmit: true, noUnusedLocals: false, types: [], rootDir: "/" }
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["src"] }),
  )
  await writeFile(join(folder, "src", "mistakes.ts"), `${start}${Object.values(mistakes).join("\n")}\n`)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test("every mistake has one message, in words of the graph", async () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
  const output = await promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder })
    .then(({ stdout }) => stdout)
    .catch((error: { stdout: string }) => error.stdout)
  const first = start.split("\n").length
  const names = Object.keys(mistakes)
  const told = output.split(/\n(?=src)/).map((message) => {
    const [, line, text] = message.match(/^src\/mistakes\.ts\((\d+),\d+\): error TS\d+: ([\s\S]*?)\s*$/) ?? []
    return `${names[Number(line) - first]}\n  ${text}`
  })
  expect(`\n${told.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    a wire that does not fit
      Type '"tokens"' is not assignable to type '"x"'.
    a port that no wire fits
      Type '"tokens"' is not assignable to type '"needs int32 [b s] code - no wire carries it"'.
    a typo in a wire
      Type '"tokns"' is not assignable to type '"targets" | "tokens"'. Did you mean '"tokens"'?
    a missing wire
      Property 'targets' is missing in type '{ logits: "logits"; }' but required in type '{ readonly logits: "logits"; readonly targets: "targets" | "tokens"; }'.
    a typo in a port
      Object literal may only specify known properties, but 'target' does not exist in type '{ readonly logits: "logits"; readonly targets: "targets" | "tokens"; }'. Did you mean to write 'targets'?
    a port that is not there
      Object literal may only specify known properties, and 'input' does not exist in type '{ readonly tokens: "targets" | "tokens"; }'.
    a name in use
      Argument of type '"x"' is not assignable to parameter of type '"x is taken - give the node a new name"'.
    a name with a dot
      Argument of type '"x.y"' is not assignable to parameter of type '"x.y has a dot - dots separate a node from its port"'.
    an output that is not there
      Argument of type '"los"' is not assignable to parameter of type '"logits" | "targets" | "text" | "tokens" | "x" | Readonly<Record<string, "logits" | "targets" | "text" | "tokens" | "x">>'.
    sharing with no node
      Type '"y"' is not assignable to type '"logits" | "x" | undefined'.
    an axis that the node lacks
      Type '"text"' is not assignable to type '"axes: this node has no axis s"'.
    two axes of one name
      Type '"text"' is not assignable to type '"axes: two axes of this node would be called n"'.
    a replacement that needs more
      Argument of type 'TensorNode<{ readonly codes: TensorPort<"int32", "b s", "code">; }, TensorPort<"float32", "b y x c", "">>' is not assignable to parameter of type '"the new node needs codes, to which the old one has no wire"'.
    a replacement that gives something else
      Argument of type 'TensorNode<{ readonly x: TensorPort<"float32", "b t d", "">; }, TensorPort<"float32", "b t d", "">>' is not assignable to parameter of type '"the new node must give what the old one gave"'.
    a replacement of no node
      Argument of type '"y"' is not assignable to parameter of type '"logits" | "x"'.
    "
  `)
})
