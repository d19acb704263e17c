/** Graphs that need no path, and the modules that they stand for. */
export const builtIn: Readonly<Record<string, string>> = {
  instructgpt: "@millrace/examples/instructgpt",
  dalle: "@millrace/examples/dalle",
}
