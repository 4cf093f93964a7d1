import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { eventually } from '../../protocol-d/eventually.js'
import type { EtcdCluster } from './etcd-daemons.js'
import { lineWriters } from './line-writers.js'
import { checkTaken, readLines } from './written-lines.js'

export interface StoppedHolder {
  /** How many lines it wrote under its epoch after another one's first. */
  late: number
  /** How long before the other one's first line its last one was that counts, in milliseconds. */
  gap: number
}

/**
 * Stops a holder that writes lines until another one has the lease and has written, and a while longer; then lets it go on until it knows.
 *
 * @throws Error where what a reader who checks epochs takes is not of one after the other
 */
export async function stopHolder(
  t: Test,
  { options }: EtcdCluster,
  { ttl, before, longer, way }: { ttl: number; before: number; longer: number; way: 'careful' | 'careless' },
): Promise<StoppedHolder> {
  const writers = lineWriters(t, options.endpoints, ttl)
  const anna = writers.start('anna', way)
  await anna.until(/held 1\n/)
  const berta = writers.start('berta')
  const lines = () => readLines(writers.file)
  await eventually('the first one writes', () => lines().taken.length > 3)
  await delay(before)
  anna.child.kill('SIGSTOP')
  await eventually('the other one writes', () => lines().taken.at(-1)?.holder === 'berta')
  await delay(longer)
  anna.child.kill('SIGCONT')
  await anna.until(/lost 1 /)
  const { length } = lines().taken
  await eventually('the other one goes on', () => lines().taken.length > length + 3)
  await writers.end()
  const { taken, refused } = lines()
  checkTaken(taken)
  const first = taken.findIndex(({ holder }) => holder === 'berta')
  if (berta.stdout() === '' || first < 1) throw new Error('the other one never had it')
  return { late: refused.length, gap: taken[first]!.time - taken[first - 1]!.time }
}
