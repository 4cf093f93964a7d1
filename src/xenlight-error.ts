/** The base of every error that this package throws on purpose. `code` says what kind it is, in words that do not change. */
export abstract class XenlightError extends Error {
  /** What went wrong, for a program; docs/errors.md lists all. */
  abstract readonly code: string
}
