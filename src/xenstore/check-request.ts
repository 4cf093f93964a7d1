import { checkObject, checkSignal, wrongType } from '../check-argument.js'

/** For callers without types: the options of a request, and of whatever else has a signal and a time limit. */
export function checkRequest(options: unknown): void {
  if (options === undefined) return
  checkObject('options', options)
  const { signal, timeout } = options as { signal?: unknown; timeout?: unknown }
  checkSignal(signal)
  if (timeout !== undefined && typeof timeout !== 'number')
    throw wrongType('timeout', 'a number of milliseconds', timeout)
}
