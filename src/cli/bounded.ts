import type { Diagnostic } from '../xlu/diagnostic.js'

/** Each diagnostic holds its whole spec: of a long spec with very many, those that fit into 4 Mi characters, but one at least. */
export const bounded = (diagnostics: readonly Diagnostic[]): readonly Diagnostic[] =>
  diagnostics.slice(0, Math.max(1, Math.floor(2 ** 22 / ((diagnostics[0]?.spec.length ?? 0) + 1))))
