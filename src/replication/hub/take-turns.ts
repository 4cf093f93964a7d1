/** Lets all else that waits have its turn, in the middle of long work. */
export const takeTurns = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
