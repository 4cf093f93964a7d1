/** A text of a record in a message: in quotes, and cut where it is long. */
export const show = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
