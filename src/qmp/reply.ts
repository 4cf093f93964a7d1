/** An object's fields; undefined for what is none. */
export const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined

/** A reply that lacks what QEMU's schema promises. */
export class UnexpectedReply extends Error {}

/** An object's fields. @throws UnexpectedReply */
export function object(value: unknown, what: string): Record<string, unknown> {
  const fields = fieldsOf(value)
  if (fields === undefined) throw new UnexpectedReply(`${what} is no object`)
  return fields
}

/** What each element of an array is read as. @throws UnexpectedReply */
export function list<Element>(value: unknown, what: string, read: (element: unknown) => Element): Element[] {
  if (!Array.isArray(value)) throw new UnexpectedReply(`${what} is no array`)
  return value.map(read)
}

/** @throws UnexpectedReply */
export function text(fields: Record<string, unknown>, name: string): string {
  const { [name]: value } = fields
  if (typeof value !== 'string') throw new UnexpectedReply(`${name} is no string`)
  return value
}

/** @throws UnexpectedReply */
export const optionalText = (fields: Record<string, unknown>, name: string): string | undefined =>
  fields[name] === undefined ? undefined : text(fields, name)

/** @throws UnexpectedReply */
export function number(fields: Record<string, unknown>, name: string): number {
  const { [name]: value } = fields
  if (typeof value !== 'number') throw new UnexpectedReply(`${name} is no number`)
  return value
}

/** @throws UnexpectedReply */
export function flag(fields: Record<string, unknown>, name: string): boolean {
  const { [name]: value } = fields
  if (typeof value !== 'boolean') throw new UnexpectedReply(`${name} is neither true nor false`)
  return value
}

/** For commands that return nothing of interest. */
export const nothing = (): void => {}
