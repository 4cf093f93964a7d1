/** Where an offset stands: `line` and `column` count from 1, the column in UTF-16 code units. */
export interface TextPosition {
  offset: number
  line: number
  column: number
}

/** Answers which line and column an offset of a text is in; the text is read once, at the first question. */
export class LineIndex {
  readonly #text: string
  #starts: Uint32Array | undefined

  constructor(text: string) {
    this.#text = text
  }

  at(offset: number): TextPosition {
    this.#starts ??= lineStarts(this.#text)
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle
    }
    return { offset, line: low + 1, column: offset - this.#starts[low]! + 1 }
  }
}

function lineStarts(text: string): Uint32Array {
  let count = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  const starts = new Uint32Array(count)
  for (let line = 1, at = 0; line < count; line++) {
    at = text.indexOf('\n', at) + 1
    starts[line] = at
  }
  return starts
}
