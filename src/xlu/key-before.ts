import type { Parameter } from './disk-grammar.js'

/** The positional parameter or flag that ends right before a stray "=": it was most likely meant as a key. */
export const keyBefore = (parameters: readonly Parameter[], equals: number): Parameter | undefined =>
  parameters.find(({ key, value, at }) => at < equals && at + (key === 'positional' ? value : key).length === equals)
