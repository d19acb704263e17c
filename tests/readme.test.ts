import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { toSvg } from "@millrace/core"
import instructgpt from "@millrace/examples/instructgpt"
import { expect, test } from "vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const readme = readFileSync(join(root, "README.md"), "utf8")

/** The first program of the README. */
const program = /```ts\n(import[\s\S]*?)```/.exec(readme)?.[1] ?? ""

/** What tsc says of a module beside the tests, where the packages resolve, and, if it is to run, what it then says. */
const compile = (source: string, run = false): string => {
  const folder = mkdtempSync(join(root, "tests", "dist", "readme-"))
  try {
    writeFileSync(join(folder, "readme.ts"), source)
    const options = { extends: join(root, "tsconfig.base.json"), compilerOptions: { composite: false, noEmit: !run } }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...options, files: ["readme.ts"] }))
    execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder], {
      encoding: "utf8",
    })
    if (run) execFileSync(process.execPath, [join(folder, "readme.js")], { encoding: "utf8", stdio: "pipe" })
    return ""
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
    return stdout + stderr
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test("the README's graph compiles", () => {
  expect(program).toContain('graph("fine-tuning"')
  expect(compile(`${program}\nexport default fineTuning\n`)).toBe("")
})

test("the core's program compiles", () => {
  const core = readFileSync(join(root, "packages", "core", "README.md"), "utf8")
  const source = /```ts\n(import[\s\S]*?)```/.exec(core)?.[1] ?? ""
  expect(source).toContain("TensorFunction")
  expect(compile(source)).toBe("")
})

test("the core's laws compile, and the losses of its README obey them", () => {
  const core = readFileSync(join(root, "packages", "core", "README.md"), "utf8")
  const sources = [...core.matchAll(/```ts\n(import[\s\S]*?)```/g)]
    .map((match) => match[1]!)
    .filter((s) => /checkLaws/.test(s))
  expect(sources).toHaveLength(2)
  for (const source of sources) expect(compile(source, true)).toBe("")
})

test("the README's wrong wire gets the compile error that it quotes", () => {
  const wrong = program.replace('{ logits: "policy"', '{ logits: "tokens"')
  expect(wrong).not.toBe(program)
  const quoted = /\/\/ {2}(Type .*)/.exec(readme)?.[1] ?? "no error is quoted"
  expect(compile(`${wrong}\nexport default fineTuning\n`)).toContain(quoted)
})

test("every example that the README names is there, and every example is named", () => {
  const named = [...readme.matchAll(/npm run example (\d\d)/g)].map((match) => match[1])
  const listed = execFileSync(process.execPath, [join(root, "scripts", "example.mjs")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  })
  expect(new Set(named)).toEqual(new Set([...listed.matchAll(/^ {2}(\d\d) /gm)].map((match) => match[1])))
})

test("the README's picture is the graph that npm start runs", () => {
  expect(readFileSync(join(root, "docs", "instructgpt.svg"), "utf8")).toBe(toSvg(instructgpt))
})
