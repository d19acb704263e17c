/** Growing columns of numbers: what an image of a folder costs in memory, 20 bytes. */

const grown = <A extends Float64Array | Uint32Array | BigUint64Array>(column: A, make: (length: number) => A): A => {
  const larger = make(Math.max(1024, column.length * 2))
  larger.set(column as never)
  return larger
}

/** Where each image's caption is, and what its file was when it was looked at. */
export class Columns {
  count = 0
  private offsets = new Float64Array(0)
  private lengths = new Uint32Array(0)
  private prints = new BigUint64Array(0)

  push(offset: number, length: number, print: bigint): void {
    if (this.count === this.offsets.length) {
      this.offsets = grown(this.offsets, (n) => new Float64Array(n))
      this.lengths = grown(this.lengths, (n) => new Uint32Array(n))
      this.prints = grown(this.prints, (n) => new BigUint64Array(n))
    }
    this.offsets[this.count] = offset
    this.lengths[this.count] = length
    this.prints[this.count] = print
    this.count++
  }

  at(i: number): { readonly offset: number; readonly length: number; readonly print: bigint } {
    return { offset: this.offsets[i]!, length: this.lengths[i]!, print: this.prints[i]! }
  }
}
