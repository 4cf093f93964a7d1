/** One JSON object, on a line. */
export const jsonLine = (value: object): string => `${printableJson(JSON.stringify(value))}\n`

/** JSON as a terminal may have it, and with the same meaning. It escapes itself what a terminal must not have, but for what follows. */
export const printableJson = (json: string): string =>
  json.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
