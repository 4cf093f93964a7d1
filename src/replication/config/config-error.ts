import { XenlightError } from '../../xenlight-error.js'

/** What is wrong at one place of a configuration file. */
export interface ConfigProblem {
  /** Both begin with 1. */
  line: number
  column: number
  message: string
}

/** A configuration file cannot be used; the message has a line for each problem. */
export class ConfigError extends XenlightError {
  override readonly name = 'ConfigError'
  readonly code = 'bad-config'
  readonly problems: readonly ConfigProblem[]

  /** @param file its name, for messages */
  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'))
    this.problems = problems
  }
}
