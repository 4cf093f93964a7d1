/** One `NAME … { … }` of what `drbdsetup show` writes: the words before its brace, and its own statements, without those of sections in it. */
export interface ShownSection {
  words: readonly string[]
  statements: (readonly string[])[]
}

/** A space, a comment, a string (it keeps its quotes, and so is never taken for a word), a sign or a word. */
const token = /\s+|#[^\n]*|"[^"\\]*(?:\\.[^"\\]*)*"|[{};]|[^\s#"{};]+/sy

/**
 * All sections of what `drbdsetup show` writes of a resource, of 8.4 and of 9, in their order. Undefined where it is no such text, or
 * was cut. Takes as long as the text is.
 */
export function readSections(text: string): readonly ShownSection[] | undefined {
  const sections: ShownSection[] = []
  const open: ShownSection[] = []
  let words: string[] = []
  token.lastIndex = 0
  for (let at = 0; at < text.length; at = token.lastIndex) {
    const [word] = token.exec(text) ?? []
    // a string that does not end
    if (word === undefined) return undefined
    if (/^[\s#]/.test(word)) continue
    if (word === '{') {
      if (open.length === 0 && words[0] !== 'resource') return undefined
      const section: ShownSection = { words, statements: [] }
      sections.push(section)
      open.push(section)
    } else if (word === '}') {
      if (words.length > 0 || open.pop() === undefined) return undefined
    } else if (word === ';') {
      const section = open.at(-1)
      if (section === undefined || words.length === 0) return undefined
      section.statements.push(words)
    } else {
      words.push(word)
      continue
    }
    words = []
  }
  return open.length > 0 || words.length > 0 || sections.length === 0 ? undefined : sections
}
