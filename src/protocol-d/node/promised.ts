type Callback<Value> = (error: Error | undefined, value?: Value) => void

/** What is through at once needs no promise. */
export function now<Value>(start: (done: Callback<Value>) => void): Value | Promise<Value> {
  let outcome: { error: Error | undefined; value: Value } | undefined
  let settle: ((outcome: { error: Error | undefined; value: Value }) => void) | undefined
  start((error, value) => {
    outcome = { error, value: value as Value }
    settle?.(outcome)
  })
  if (outcome !== undefined) {
    if (outcome.error !== undefined) throw outcome.error
    return outcome.value
  }
  return new Promise((resolve, reject) => {
    settle = ({ error, value }) => (error === undefined ? resolve(value) : reject(error))
  })
}

/** As `now`, always as a promise. */
export const later = async <Value>(start: (done: Callback<Value>) => void): Promise<Value> => now(start)
