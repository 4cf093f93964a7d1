const pythonWords = new Set(['def', 'if', 'elif', 'else', 'for', 'while', 'import', 'from', 'print', 'return', 'try'])
const pythonHint = 'xl runs no Python: write plain settings, such as memory = 512 or disk = [ "…" ]'
const commaHint = 'put a comma before this, or close the list with ]'

interface WrongToken {
  /** bison's name of the token, and of what it would have taken instead. */
  name: string
  expected: string
  text: string
  /** The last key that was read. */
  key: string
}

/** What to write where a token does not fit. */
export function hintForToken({ name, expected, text, key }: WrongToken): string | undefined {
  switch (expected) {
    case "']'":
      if (name === '$end') return 'close the list with ]'
      if (name === "','")
        return 'remove this comma: a list has one comma between two items, and may have one at its end'
      if (name === 'IDENT') return `${quoted(text)}; two items have a comma between them`
      return commaHint
    case "STRING or NUMBER or '['":
      if (name === 'IDENT') return quoted(text)
      if (name === 'NEWLINE') return 'begin the value on the line of the ='
      return 'write a string in quotes, a number or a list in [ ] after the ='
    case "+= or '='":
      return pythonWords.has(key) ? pythonHint : `write ${short(key)} = and a value`
    case '$end':
      return 'begin the next setting on a new line, or put a ; before it'
    default:
      return name === 'STRING' || name === 'NUMBER'
        ? 'a key begins with a lower-case letter, and stands without quotes'
        : 'a setting is a key, = and a value'
  }
}

/** What to write where no token begins. */
export function hintForLexicalError(word: string): string | undefined {
  const first = word[0]!
  if (first === '"' || first === "'") return `close the string with ${first} on the same line`
  if (first === '#') return 'end the last line with a newline: a comment counts only with it'
  if (first === '\r') return 'save the text with Unix line ends (LF instead of CR LF)'
  if (first === '\ufeff') return 'save the text without a byte order mark'
  if (/^[“”‘’«»]/.test(first)) return 'use the plain quotes " or \''
  if (/^-[0-9]/.test(word)) return `write a negative number in quotes: "${short(/^-[0-9a-fx]+/.exec(word)![0])}"`
  if (/^True\b/.test(word)) return 'write 1'
  if (/^(False|None)\b/.test(word)) return 'write 0'
  if ('+-.():'.includes(first)) return pythonHint
  if (/^[A-Z]/.test(first)) return 'keys are lower-case, and words are written in quotes'
  return 'write text in quotes'
}

/** What to write for an escape that libxl refuses. */
export function hintForEscape(written: string): string {
  if (written[1] === 'x') return 'libxl refuses every \\x escape: write the character itself'
  if (/^\\[0-7]/.test(written)) return 'numeric escapes add nothing to a string: write the character itself'
  return 'write \\\\ for a backslash; the escapes are \\\\ \\" \\\' \\a \\b \\f \\n \\r \\t \\v'
}

const quoted = (text: string): string => `write it in quotes: "${short(text)}"`

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
