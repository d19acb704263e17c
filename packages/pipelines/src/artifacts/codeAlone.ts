import { BadData, type Files } from "@millrace/core"

/** The refusal of files that stand for code of one's own, which is not in them. */
export const codeAlone = (where: string, expected: string, files: Files): BadData =>
  new BadData({
    where,
    expected,
    received: `one whose value is code: ${Object.keys(files).slice(0, 8).join(", ") || "no files"}`,
    fix: "run the stage that makes it: its files say what it is and cannot do what it does",
  })
