import { codeOf } from '../libxl/system-error.js'

/** Calls until it may: a stream that another process has made non-blocking says EAGAIN where it should wait. */
export function patiently<T>(call: () => T): T {
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
