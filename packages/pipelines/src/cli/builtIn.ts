/** Graphs that need no path, and the modules that they stand for. */
export const builtIn: Readonly<Record<string, string>> = {
  instructgpt: "@millrace/examples/instructgpt",
  clip: "@millrace/examples/clip",
  dalle: "@millrace/examples/dalle",
  dalle2: "@millrace/examples/dalle2",
}
