import { randomBytes } from 'node:crypto'

/** A name that nobody else has. */
export const newAttempt = (): string => randomBytes(16).toString('hex')
