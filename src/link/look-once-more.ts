/** How much has arrived in this process, in chunks. */
let arrivals = 0

/** Takes note that bytes have arrived, and that more may be behind them. */
export function noteArrival(): void {
  arrivals++
}

/** How long looks may follow each other where each finds more, in milliseconds. */
const longestLook = 500

/**
 * Calls back once everything that has arrived by now was handled: a timer fires before sockets are read and the exits of
 * children are seen, and a socket is read a piece at a time. What it returns takes that back.
 */
export function lookOnceMore(then: () => void): () => void {
  const end = performance.now() + longestLook
  let waiting: (() => void) | undefined
  const look = (before: number, isFirst: boolean) => {
    waiting = afterArrivals(() => {
      // twice at least: the second comes after what the embedded store delivered in the first
      const isMore = isFirst || (arrivals !== before && performance.now() < end)
      if (isMore) look(arrivals, false)
      else then()
    })
  }
  look(arrivals, true)
  return () => waiting?.()
}

/** An immediate comes after one look at the sockets. A browser has none: there, timers and messages have one queue. */
function afterArrivals(then: () => void): () => void {
  const { setImmediate, clearImmediate } = globalThis
  if (setImmediate === undefined) {
    const timer = setTimeout(then)
    return () => clearTimeout(timer)
  }
  const immediate = setImmediate(then)
  return () => clearImmediate(immediate)
}
