import { checkText, wrongValue } from '../../check-argument.js'

/** Where everything is: under a prefix that nobody else uses. */
export class LeaseKeys {
  readonly #prefix: string

  /** @param prefix up to 200 printable characters of ASCII @throws TypeError */
  constructor(prefix = '/xenlight/') {
    checkText('prefix', prefix)
    if (!/^[\x21-\x7d]{1,200}$/.test(prefix))
      throw wrongValue('prefix', '1 to 200 printable characters of ASCII', prefix)
    this.#prefix = prefix
  }

  /** Who has a lease; there while somebody has it. */
  holder(name: string): string {
    return `${this.#prefix}holder/${name}`
  }

  /** The last epoch of a lease; there for ever. */
  epoch(name: string): string {
    return `${this.#prefix}epoch/${name}`
  }

  record(name: string, key: string): string {
    return `${this.records(name)}${key}`
  }

  /** What the keys of a lease's records begin with, or all records'. */
  records(name?: string): string {
    const all = `${this.#prefix}record/`
    return name === undefined ? all : `${all}${name}/`
  }
}
