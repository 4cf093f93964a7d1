interface Waiting {
  callbacks: Set<() => void>
  listener: () => void
}

/**
 * One listener for each signal, however many requests share it: a signal looks through all that it has for each new one, and
 * Node warns of more than ten.
 */
const signals = new WeakMap<AbortSignal, Waiting>()

/** Calls back when a signal, which is not yet, is aborted. What it returns takes that back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const waiting = signals.get(signal) ?? listen(signal)
  waiting.callbacks.add(callback)
  return () => {
    waiting.callbacks.delete(callback)
    if (waiting.callbacks.size > 0 || signals.get(signal) !== waiting) return
    signals.delete(signal)
    signal.removeEventListener('abort', waiting.listener)
  }
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>()
  const listener = () => {
    for (const callback of callbacks) callback()
  }
  const waiting = { callbacks, listener }
  signals.set(signal, waiting)
  signal.addEventListener('abort', listener)
  return waiting
}
