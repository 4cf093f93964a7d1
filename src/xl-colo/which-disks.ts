import { findDisks } from '../colo/graph/find-disks.js'
import type { Side } from '../colo/side.js'
import type { Limits } from '../link/limits.js'
import { Refusal } from './refusal.js'

/** The disks that are meant: those that were named, else those that the first of the sides which answers has. @throws Refusal */
export async function whichDisks(
  named: readonly string[],
  sides: readonly Side[],
  limits: Limits,
): Promise<readonly string[]> {
  if (named.length > 0) return named
  let failure: unknown
  for (const { qmp } of sides) {
    try {
      const disks = await findDisks(qmp, limits)
      if (disks.length > 0) return disks
    } catch (error) {
      failure ??= error
    }
  }
  if (failure !== undefined) {
    const why = failure instanceof Error ? failure.message : String(failure)
    throw new Refusal(
      'failed',
      `no COLO disk was found, and a side does not answer (${why}): name the disks with --disk`,
    )
  }
  const hint = 'give QEMU the arguments of a COLO disk (xl-disk-parse -o argv), or name the disks with --disk'
  throw new Refusal('refused', `no COLO disk was found: ${hint}`)
}
