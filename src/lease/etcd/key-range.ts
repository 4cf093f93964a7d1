import { base64 } from './reply-fields.js'

/** One key, or all that are between two. */
export interface KeyRange {
  key: string
  /** The first that is not among them. */
  end?: string | undefined
}

/** All keys that begin with a text, whose last character is ASCII. */
export const withPrefix = (prefix: string): KeyRange => ({
  key: prefix,
  end: `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`,
})

export const rangeFields = ({ key, end }: KeyRange): { key: string; range_end?: string } =>
  end === undefined ? { key: base64(key) } : { key: base64(key), range_end: base64(end) }
