/**
 * A wrong argument is a bug of the caller, not a refusal: a TypeError or RangeError with the code that Node.js gives its own, and
 * a message of one form: what, what it must be, what it is.
 */
export type ArgumentErrorCode = 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE'

/** The error for an argument of another type. */
export const wrongType = (name: string, expected: string, given: unknown): TypeError =>
  withCode(new TypeError(sentence(name, expected, given)), 'ERR_INVALID_ARG_TYPE')

/** The error for an argument of the right type that is none of the values known. */
export const wrongValue = (name: string, expected: string, given: unknown): TypeError =>
  withCode(new TypeError(sentence(name, expected, given)), 'ERR_INVALID_ARG_VALUE')

/** The error for a number outside its range. */
export const outOfRange = (name: string, expected: string, given: unknown): RangeError =>
  withCode(new RangeError(sentence(name, expected, given)), 'ERR_OUT_OF_RANGE')

export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value)
}

export function checkOptionalText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw wrongType(name, 'a string or undefined', value)
}

/** A text such as 'false' would count as true. */
export function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(name, 'true or false', value)
}

export function checkInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return
  const expected = `an integer from ${min} to ${max}`
  throw typeof value === 'number' ? outOfRange(name, expected, value) : wrongType(name, expected, value)
}

export function checkWord(name: string, value: unknown, words: readonly string[]): void {
  if ((words as readonly unknown[]).includes(value)) return
  const quoted = words.map(word => `'${word}'`)
  const expected = quoted.length === 1 ? quoted[0]! : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
  throw typeof value === 'string' ? wrongValue(name, expected, value) : wrongType(name, expected, value)
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value)
}

/** @param contents what the object holds, for the message */
export function checkObject(name: string, value: unknown, contents = 'an object'): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(name, contents, value)
}

/** @param contents what the array holds, for the message */
export function checkArray(name: string, value: unknown, contents: string): void {
  if (!Array.isArray(value)) throw wrongType(name, `an array of ${contents}`, value)
}

/** Options that may be left out: null is no object, and JavaScript would fail to take it apart. */
export function checkOptions(options: unknown): void {
  if (options !== undefined) checkObject('options', options)
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw wrongType('signal', 'an AbortSignal', signal)
}

/** The options of whatever has a signal and a time limit. */
export function checkLimits(options: unknown): void {
  if (options === undefined) return
  checkObject('options', options)
  const { signal, timeout } = options as { signal?: unknown; timeout?: unknown }
  checkSignal(signal)
  if (timeout !== undefined && typeof timeout !== 'number')
    throw wrongType('timeout', 'a number of milliseconds', timeout)
}

/** For limits that fail as a wrong argument does, a number that is none too. */
export function checkTimeout(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'number') throw wrongType(name, 'a number of milliseconds', value)
  if (!(value >= 0)) throw outOfRange(name, 'a number of milliseconds', value)
}

/** @param contents what has these methods, for the message */
export function checkMethods(name: string, value: unknown, methods: readonly string[], contents: string): void {
  checkObject(name, value, contents)
  for (const method of methods) checkFunction(`${name}.${method}`, (value as Record<string, unknown>)[method])
}

/** What was given, in a few words: a long text is cut. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'bigint':
      return `${value}n`
    default:
      return String(value)
  }
}

const sentence = (name: string, expected: string, given: unknown): string =>
  `${name} must be ${expected}, not ${shown(given)}`

const withCode = <Kind extends Error>(error: Kind, code: ArgumentErrorCode): Kind => Object.assign(error, { code })
