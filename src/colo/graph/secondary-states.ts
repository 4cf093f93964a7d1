import { printable } from '../../printable.js'
import type { BlockView } from '../../qmp/block-view.js'
import { ColoError } from '../colo-error.js'
import { type SecondaryState, secondaryState } from './secondary-state.js'

export const statesOf = (view: BlockView, disks: readonly string[]): SecondaryState[] =>
  disks.map(disk => secondaryState(view, disk))

/** @throws ColoError not-a-colo-disk, wrong-state for the first disk that is not in this state */
export function refuseUnless(
  disks: readonly string[],
  states: readonly SecondaryState[],
  wanted: SecondaryState['kind'],
): void {
  const index = states.findIndex(({ kind }) => kind !== wanted)
  if (index < 0) return
  const disk = disks[index]!
  const { kind } = states[index]!
  if (kind === 'missing')
    throw new ColoError('not-a-colo-disk', `${printable(disk)} is no disk of a COLO secondary here`, { disk })
  throw new ColoError('wrong-state', `${printable(disk)} is ${kind}, and should be ${wanted}`, { disk })
}
