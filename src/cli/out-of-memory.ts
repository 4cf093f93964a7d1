const words = /^(?:Invalid string length|Array buffer allocation failed|(?:Map|Set) maximum size exceeded)$/

/**
 * Whether something became larger than V8 can make it. Its other RangeErrors, and ours, are bugs: a stack that
 * overflows, a number that an argument cannot be.
 */
export const isOutOfMemory = (error: unknown): boolean => error instanceof RangeError && words.test(error.message)
