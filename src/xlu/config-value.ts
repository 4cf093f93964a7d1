/** What `Config` hands out: a string, or a list of such values. Numbers are strings until they are asked for. */
export type ConfigItem = string | readonly ConfigItem[]

/** One token of the text that gave (a part of) a string. */
export interface StringPiece {
  /** Length of the part once its escapes are read. */
  length: number
  /** The token in the text, its quotes included. */
  start: number
  end: number
  /**
   * Pairs of an offset in the part and the offset in the text that it comes from, one for the beginning and one after
   * each escape; between them both advance alike.
   */
  marks: readonly number[]
}

export interface ConfigString {
  kind: 'string'
  item: string
  /** More than one where the value was put together with `+=`. */
  pieces: StringPiece[]
}

export interface ConfigList {
  kind: 'list'
  item: ConfigItem[]
  values: ConfigValue[]
  start: number
  end: number
}

export type ConfigValue = ConfigString | ConfigList

/** The value's span in the text; of a value put together with `+=`, the span of its first part. */
export function valueSpan(value: ConfigValue): { start: number; end: number } {
  const { start, end } = value.kind === 'list' ? value : value.pieces[0]!
  return { start, end }
}

/** The text's span that characters `start` to `end` of a string come from (both in its first piece where they span several). */
export function sourceSpan(pieces: readonly StringPiece[], start: number, end: number): { start: number; end: number } {
  let before = 0
  let index = 0
  while (index < pieces.length - 1 && start >= before + pieces[index]!.length) before += pieces[index++]!.length
  const piece = pieces[index]!
  const from = start - before
  const to = Math.min(Math.max(end - before, from), piece.length)
  const first = sourceOffset(piece, from)
  return { start: first, end: to > from ? sourceEnd(piece, to) : first }
}

/** Where the character at an offset of a piece begins in the text; the piece's length gives where its contents end. */
function sourceOffset(piece: StringPiece, offset: number): number {
  const mark = lastMark(piece.marks, offset)
  return piece.marks[mark + 1]! + offset - piece.marks[mark]!
}

/** Where the character before an offset ends in the text: an escape that gives a character is two long. */
function sourceEnd(piece: StringPiece, offset: number): number {
  const start = sourceOffset(piece, offset - 1)
  const next = lastMark(piece.marks, offset - 1) + 2
  const isEscape = piece.marks[next] === offset && piece.marks[next + 1] === start + 2
  return isEscape ? start + 2 : start + 1
}

/** Index of the last pair at or before an offset. */
function lastMark(marks: readonly number[], offset: number): number {
  let low = 0
  let high = marks.length / 2
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (marks[middle * 2]! <= offset) low = middle
    else high = middle
  }
  return low * 2
}
