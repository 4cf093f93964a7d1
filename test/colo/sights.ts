import type { DiskRecord, DiskSight, RecordedState, Seen, SideSight } from 'xenlight/colo'

type ViewedNode = NonNullable<DiskSight['image']>
type Bitmap = ViewedNode['bitmaps'][number]

export const bitmap = (name: string, rest: Partial<Bitmap> = {}): Bitmap => ({
  ...{ name, count: 0, granularity: 65_536, recording: true, busy: false, persistent: false, inconsistent: false },
  ...rest,
})

/** A disk's image, with bitmaps of these names. */
export const imageNode = (...bitmaps: readonly (string | Bitmap)[]): ViewedNode => ({
  ...{ id: 1, nodeName: 'image', driver: 'raw', readOnly: false, virtualSize: 1_048_576, file: '/i' },
  ...{ actualSize: 0, bitmaps: bitmaps.map(one => (typeof one === 'string' ? bitmap(one) : one)) },
})

const image = imageNode()
const overlay = (nodeName: string) => ({ nodeName, file: `/${nodeName}`, actualSize: 0, virtualSize: 1_048_576 })
const overlays = { top: 'top', active: overlay('active'), hidden: overlay('hidden') }
const primaryDisk = { quorum: 'quorum', image, job: undefined }

/** Each state of a disk on the primary. */
export const primaryStates = {
  missing: { kind: 'missing' },
  'no-quorum': { kind: 'no-quorum', driver: 'raw' },
  alone: { kind: 'alone', ...primaryDisk },
  replicated: { kind: 'replicated', ...primaryDisk, replica: replicaOf('colo-1-0123456789-nbd') },
  foreign: { kind: 'foreign', why: 'two replicas' },
} as const satisfies Record<DiskSight['primary']['kind'], DiskSight['primary']>

export function replicaOf(nbdNode: string) {
  return { child: 'children.1', nodeName: nbdNode.replace('-nbd', ''), nbdNode }
}

/** Each state of a disk on the secondary. */
export const secondaryStates = {
  missing: { kind: 'missing' },
  ready: { kind: 'ready', overlays, image },
  replicating: { kind: 'replicating', overlays, image, door: image },
  'failing-over': { kind: 'failing-over', overlays, image },
  stopped: { kind: 'stopped', overlays, image },
  'failed-over': { kind: 'failed-over', top: 'top', image },
} as const satisfies Record<DiskSight['secondary']['kind'], DiskSight['secondary']>

export const recordOf = (state: RecordedState, epoch = 1): DiskRecord => ({
  ...{ disk: 'a', epoch, state, why: `it is ${state}`, at: '2026-01-01T00:00:00.000Z' },
})

export const sightOf = (disk: Partial<DiskSight>, side: Partial<SideSight> = {}): Seen => ({
  sight: { running: false, epoch: 1, listening: undefined, ...side, disks: [{ ...noDisk, ...disk }] },
})

const noDisk: DiskSight = {
  ...{ disk: 'a', role: 'none', primary: primaryStates.missing, secondary: secondaryStates.missing },
  ...{ image: undefined, record: undefined, recordProblem: undefined },
}

export const silent = (why: string): Seen => ({ error: new Error(why) })
