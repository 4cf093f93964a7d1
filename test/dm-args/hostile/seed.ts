import { randomInt } from 'node:crypto'

const { CI, SEED } = process.env

/** What decides the cases: fixed, with CI set another each time, or the one to be tried again. */
export const hostileSeed: number = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 32) : 1
