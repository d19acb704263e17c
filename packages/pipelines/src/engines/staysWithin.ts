/** Whether a path of an archive stays within the folder that it is unpacked into, on every system. */
export const staysWithin = (path: string): boolean =>
  path.split("/").every((part) => /^[^\\:\0]+$/.test(part) && part !== "." && part !== "..")
