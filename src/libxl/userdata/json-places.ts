/** Where something stands in a text: the indices of its first character and of the one after it. */
export interface Place {
  start: number
  end: number
}

const string = /"[^"\\]*(?:\\.[^"\\]*)*"/sy
const scalar = /[^,\]}\s]+/y
const bracket = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/gs
const blanks = /\s*/y

/** The value that begins at an index of a text that is JSON. */
export function valueAt(text: string, start: number): Place {
  const first = text[start]
  if (first !== '{' && first !== '[') return { start, end: endOf(first === '"' ? string : scalar, text, start) }
  bracket.lastIndex = start
  for (let depth = 0; ; ) {
    const [token] = bracket.exec(text)!
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth === 0) return { start, end: bracket.lastIndex }
  }
}

/** The elements of the array that begins at an index of a text that is JSON. */
export function elementsAt(text: string, start: number): Place[] {
  const elements: Place[] = []
  let at = endOf(blanks, text, start + 1)
  while (text[at] !== ']') {
    const element = valueAt(text, at)
    elements.push(element)
    at = endOf(blanks, text, element.end)
    if (text[at] === ',') at = endOf(blanks, text, at + 1)
  }
  return elements
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  pattern.test(text)
  return pattern.lastIndex
}
