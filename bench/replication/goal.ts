/** A goal, and whether it is met: a cell of a table. */
export const atLeast = (value: number, goal: number): string => `at least ${goal}: ${value >= goal ? 'met' : 'MISSED'}`

export const atMost = (value: number, goal: number): string => `at most ${goal}: ${value <= goal ? 'met' : 'MISSED'}`
