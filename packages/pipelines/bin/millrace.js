#!/usr/bin/env node
import { existsSync } from "node:fs"

const program = new URL("../dist/cli/main.js", import.meta.url)

if (existsSync(program)) {
  const { main } = await import(program.href)
  main(process.argv.slice(2))
} else {
  process.stderr.write("millrace is not built yet: run `npm run build` in its repository, then this command again\n")
  process.exitCode = 1
}
