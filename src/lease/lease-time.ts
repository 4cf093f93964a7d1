import { checkInteger } from '../check-argument.js'

/** How long a lease may last, in milliseconds. Etcd grants none shorter. */
const [shortest, longest] = [2000, 3_600_000]

/**
 * How long before the end of its lease a holder stops, in milliseconds: a tenth for clocks that do not go at one rate, and half a second for what
 * it began before.
 */
export function leaseMargin(ttl: number): number {
  checkTtl(ttl)
  return Math.ceil(ttl / 10) + 500
}

/** When a holder asks again, after it last did: a lease outlasts one answer that is lost. */
export const renewInterval = (ttl: number): number => ttl / 3

/** When it tries again after nobody answered. */
export const retryInterval = (ttl: number): number => ttl / 20

export const checkTtl = (ttl: unknown): void => checkInteger('ttl', ttl, shortest, longest)

/** A margin may be longer than it has to be; of a lease, half at most. */
export function checkMargin(margin: unknown, ttl: number): void {
  if (margin !== undefined) checkInteger('margin', margin, leaseMargin(ttl), Math.max(leaseMargin(ttl), ttl / 2))
}
