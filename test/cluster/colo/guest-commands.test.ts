import t from 'tap'
import { readGuestCommand } from '#xenlight/cluster/colo/guest-commands.js'

const read = (execute: string, given: Record<string, unknown> = {}) =>
  readGuestCommand({ id: 1, execute, arguments: given })

t.strictSame(read('status', { more: 1 }), { execute: 'status' })
t.strictSame(read('promote', { number: 1001, timeout: 5 }), {
  ...{ execute: 'promote', number: 1001, force: false, timeout: 5 },
})
t.strictSame(read('checkpoint'), { execute: 'checkpoint', timeout: 30_000 })
t.strictSame(read('demote', { timeout: 1.5 }), { execute: 'demote', timeout: 1.5 })
for (const [execute, given] of [
  ['quit', {}],
  ['promote', {}],
  ['promote', { number: '1' }],
  ['promote', { number: 1, force: 1 }],
  ['demote', { timeout: -1 }],
  ['demote', { timeout: Number.NaN }],
  ['demote', { timeout: '5' }],
] as const)
  t.equal(read(execute, given), undefined, JSON.stringify([execute, given]))
