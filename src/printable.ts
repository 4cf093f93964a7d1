/**
 * A text as a terminal may have it: control characters as their pictures; as U+FFFD what turns the direction of a line
 * round, ends one or has no width, and bytes that are no text.
 */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
    .replace(/[\x00-\x1f]/g, char => String.fromCharCode(0x2400 + char.charCodeAt(0)))
    .replace(/[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
