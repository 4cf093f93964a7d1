/** An option of a command: what its parser, its help and its completion need. */
export interface Option<Name extends string = string> {
  readonly name: Name
  readonly short?: string
  /** What the option's value is called; without it the option takes none. */
  readonly takes?: string
  readonly values?: readonly string[]
  /** For completion: the value is a file's name. */
  readonly file?: boolean
  readonly help: string
}
