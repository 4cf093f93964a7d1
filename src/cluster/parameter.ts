/** A parameter of a resource, as its meta-data has it. */
export interface Parameter {
  readonly name: string
  readonly type: 'string' | 'time'
  /** What it is without one; none where it has to be given. */
  readonly default?: string
  readonly isRequired?: boolean
  /** What it may be; anything without. */
  readonly oneOf?: readonly string[]
  /** No two resources may have the same. */
  readonly isUnique?: boolean
  /** It counts from the next action on, without a restart. */
  readonly isReloadable?: boolean
  readonly short: string
  readonly long: string
}
