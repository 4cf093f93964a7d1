/** Calls `work` once, and again whenever it asks for that; also where it asks at once, and then without a deeper stack. */
export function repeat(work: (again: () => void) => void): void {
  let isRunning = false
  let isWanted = false
  const again = () => {
    isWanted = true
    if (isRunning) return
    isRunning = true
    while (isWanted) {
      isWanted = false
      work(again)
    }
    isRunning = false
  }
  again()
}
