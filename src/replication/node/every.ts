/** Calls every so many milliseconds, until what it returns is called. */
export function every(milliseconds: number, call: () => void): () => void {
  const timer = setInterval(call, milliseconds)
  return () => clearInterval(timer)
}
