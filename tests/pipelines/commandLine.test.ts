/** What the README says of the command is what the command is. */
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { exitCodes } from "@millrace/pipelines"
import { describe, expect, test } from "vitest"
import { here } from "./here.js"

const readme = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "..", "..", "README.md"), "utf8")
const section = /\n## Command line\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? ""

/** The first cells of the rows of a table. */
const firstCells = (head: string): ReadonlyArray<string> => {
  const [, rows = ""] = new RegExp(`\\n\\| ${head} \\|[^\\n]*\\n\\|[-| ]*\\n((?:\\|[^\\n]*\\n)*)`).exec(section) ?? []
  return [...rows.matchAll(/^\| (.*?) \|/gm)].map(([, cell = ""]) => cell)
}

/** The names under SUBCOMMANDS of a help page. */
const subcommands = async (...path: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { code, out } = await here([...path, "--help"])
  expect(code).toBe(0)
  const [, list = ""] = /SUBCOMMANDS\n([\s\S]*?)(?:\n[A-Z]|$)/.exec(out) ?? []
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name)
}

const commandIn = /^`((?:(?:runs|engines) )?[a-z]+)/

describe("the README", () => {
  test("has each exit code of the command, and no other", () => {
    expect(firstCells("code").map(Number).toSorted()).toEqual(Object.values(exitCodes).toSorted())
  })

  test("has each command, and no other", async () => {
    const there = (await subcommands()).filter((name) => name !== "runs")
    const ofRuns = (await subcommands("runs")).map((name) => `runs ${name}`)
    expect(ofRuns).toHaveLength(4)
    const ofEngines = (await subcommands("engines")).map((name) => `engines ${name}`)
    expect(ofEngines).toHaveLength(2)
    const named = firstCells("command").map((cell) => commandIn.exec(cell)?.[1])
    expect(named.toSorted()).toEqual([...there, ...ofRuns, ...ofEngines].toSorted())
  })

  test("names options that its commands have", async () => {
    for (const cell of firstCells("command")) {
      const path = commandIn.exec(cell)?.[1] ?? ""
      const { out } = await here([...path.split(" "), "--help"])
      for (const [option] of cell.matchAll(/--[a-z-]+/g))
        expect([path, out]).toEqual([path, expect.stringContaining(option)])
    }
  })
})

describe("--completions", () => {
  test.each(["bash", "zsh", "fish"])("for %s knows every command and its options", async (shell) => {
    const { code, out, err } = await here(["--completions", shell])
    expect([code, err]).toEqual([0, ""])
    for (const word of ["resume", "export", "reproduce", "diff", "safetensors", "preset"]) expect(out).toContain(word)
  })
})
