import type { Limits } from '../link/limits.js'
import { type BlockView, type ViewedNode, viewBlocks } from '../qmp/block-view.js'
import { guestDevices } from '../qmp/commands/guest-devices.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { listExports } from './exports/list-exports.js'
import { epochOf, topNode } from './graph/node-names.js'
import { type PrimaryState, primaryState } from './graph/primary-state.js'
import { type SecondaryState, secondaryState } from './graph/secondary-state.js'
import type { OverlayFiles } from './rebuild/become-secondary.js'
import type { DiskRecord } from './records/disk-record.js'
import { readRecord, type Side } from './side.js'

/** What one side shows of a disk. */
export interface DiskSight {
  disk: string
  /** What its block graph is made for. */
  role: 'primary' | 'secondary' | 'none'
  primary: PrimaryState
  secondary: SecondaryState
  /** The node of its own image. */
  image: ViewedNode | undefined
  record: DiskRecord | undefined
  /** Why its record cannot be read. */
  recordProblem: string | undefined
}

/** What one side shows at one moment. */
export interface SideSight {
  /** Whether its guest runs. */
  running: boolean
  disks: readonly DiskSight[]
  /** The highest epoch that is found in its graph, its exports or its records; 0 for none. */
  epoch: number
  /** The epoch of its exports, where it listens. */
  listening: number | undefined
}

/** Looks at a side's QEMU and its records; changes nothing. @throws QmpError */
export async function lookAt(side: Side, disks: readonly string[], limits: Limits): Promise<SideSight> {
  const { qmp } = side
  const [{ running }, exports, devices, view] = await Promise.all([
    qmp.run(queryStatus, undefined, limits),
    listExports(qmp, limits),
    qmp.run(guestDevices, undefined, limits),
    viewBlocks(qmp, limits),
  ])
  const hasDevice = (node: string) => devices.some(({ nodeName }) => nodeName === node)
  const sights = await Promise.all(disks.map(disk => lookAtDisk(side, view, disk, hasDevice)))
  const bitmaps = sights.flatMap(({ image }) => image?.bitmaps.flatMap(({ name }) => epochOf(name) ?? []) ?? [])
  // a QEMU that does not list its exports has this from those who began them
  const listening = exports?.flatMap(({ id }) => epochOf(id) ?? []) ?? bitmaps
  const epoch = Math.max(0, ...listening, ...sights.flatMap(epochsOf))
  return { running, disks: sights, epoch, listening: listening.length === 0 ? undefined : Math.max(...listening) }
}

async function lookAtDisk(
  side: Side,
  view: BlockView,
  disk: string,
  hasDevice: (node: string) => boolean,
): Promise<DiskSight> {
  const [primary, secondary] = [primaryState(view, disk), secondaryState(view, disk)]
  const isPrimary = primary.kind === 'alone' || primary.kind === 'replicated' || primary.kind === 'foreign'
  const isSecondary = secondary.kind !== 'missing'
  // one that is being rebuilt is both: what the guest's device stands on says how far that is
  const role = isSecondary && (!isPrimary || hasDevice(topNode(disk))) ? 'secondary' : isPrimary ? 'primary' : 'none'
  const state = role === 'secondary' ? secondary : primary
  // one whose take-over was interrupted may stand below nothing
  const image = 'image' in state ? state.image : view.disk(disk)
  const { record, problem } = image === undefined ? {} : await readRecord(side, disk, image.file)
  return { disk, role, primary, secondary, image, record, recordProblem: problem }
}

function epochsOf({ primary, image, record }: DiskSight): number[] {
  const replica = primary.kind === 'replicated' ? epochOf(primary.replica.nbdNode) : undefined
  const bitmaps = image?.bitmaps.flatMap(({ name }) => epochOf(name) ?? []) ?? []
  return [replica ?? 0, record?.epoch ?? 0, ...bitmaps]
}

/** Where a secondary's overlays are. */
export function overlaysOf({ disks }: SideSight, disk: string): OverlayFiles | undefined {
  const state = disks.find(sight => sight.disk === disk)?.secondary
  if (state === undefined || !('overlays' in state)) return undefined
  const { active, hidden } = state.overlays
  return { active: active.file, hidden: hidden.file }
}

/** Whether a side's guest has a disk that no primary writes: as a primary, or since it took over. */
export const hasDiskToItself = ({ disks }: SideSight): boolean =>
  disks.some(({ role, secondary }) => role === 'primary' || secondary.kind === 'failed-over')
