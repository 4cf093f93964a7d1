import type { HubStatus } from 'xenlight/replication'
import { ColoPage } from '#xenlight/page/colo-page.js'
import { HubPage } from '#xenlight/page/hub-page.js'
import type { BlockParts } from '#xenlight/page/layered-graph.js'
import { hubGroup, hubStatus } from '../metrics/samples.js'

/** A name that would be a script, were it not text. */
export const hostile = '<img src=x onerror="window.isBroken=1"><script>window.isBroken=1</script>'

const minute = 60_000_000

type Group = HubStatus['groups'][number]

/** A hub in which much is the matter, at a time in milliseconds. */
export function busyHub(now: number): HubStatus {
  const us = now * 1000
  const point = (ago: number) => ({ position: 1_000_000 - Math.round(ago / 1000), time: us - ago })
  const usual = {
    limits: {
      ...hubGroup().limits,
      journalBytes: 10 * 2 ** 30,
      imageBytes: Number.MAX_SAFE_INTEGER,
      overlayBytes: 100 * 2 ** 30,
    },
  }
  const used = { journalBytes: 3.2 * 2 ** 30, imageBytes: 41 * 2 ** 30, overlayBytes: 1.4 * 2 ** 30 }
  const web: Partial<Group> = {
    ...{ ...usual, used, name: 'web', state: 'protected', heard: us - 400_000, newest: point(400_000), lag: 180_224 },
    ...{ since: us - 300 * minute, busy: undefined, epoch: 1 },
    history: [
      { from: point(420 * minute), to: point(190 * minute) },
      { from: point(171 * minute), to: point(400_000) },
    ],
    branches: [
      {
        ...{ name: 'nightly-check', id: 1, kind: 'test', state: 'ready', position: 7, pointTime: us - 65 * minute },
        ...{ made: us - 30 * minute, by: 'anna', written: 1.4 * 2 ** 30, exports: [] },
      },
    ],
    volumes: [
      { number: 0, name: 'root', size: 20 * 2 ** 30 },
      { number: 1, name: 'data', size: 200 * 2 ** 30 },
    ],
    reported: [
      { group: 'web', volume: 'root', state: 'protected' },
      { group: 'web', volume: 'data', state: 'protected' },
    ],
  }
  const mail: Partial<Group> = {
    ...{ ...usual, used, name: 'mail', state: 'disconnected', isAttached: false, agent: 'bert', busy: undefined },
    ...{ newest: point(37 * minute), heard: us - 37 * minute },
    history: [{ from: point(600 * minute), to: point(37 * minute) }],
  }
  const build: Partial<Group> = {
    ...{ ...usual, used, name: 'build', state: 'syncing', heard: us - 800_000, newest: undefined, history: [] },
    ...{ unsettled: 'the first copy is under way', busy: undefined },
  }
  const files: Partial<Group> = {
    ...{ ...usual, used, name: 'files', state: 'failed-over', heard: us - 90 * minute, newest: point(90 * minute) },
    takeOver: { kind: 'fail-over', by: "the hub's user", time: us - 80 * minute },
    branches: [
      {
        ...{
          name: 'failover-20261127',
          id: 2,
          kind: 'fail-over',
          state: 'ready',
          position: 9,
          pointTime: us - 90 * minute,
        },
        ...{ made: us - 80 * minute, by: "the hub's user", written: 2 ** 31, exports: [] },
      },
    ],
    busy: { what: 'fail-back', done: 12 * 2 ** 30, all: 30 * 2 ** 30 },
    history: [{ from: point(900 * minute), to: point(90 * minute) }],
  }
  const more = ['dns', 'git', 'ldap', 'wiki', 'shop'].map(name =>
    hubGroup({ ...web, name, branches: [] } as Partial<Group>),
  )
  return hubStatus([...[web, mail, build, files].map(one => hubGroup(one)), ...more], {
    name: 'backup-1',
    closed: [{ name: hostile, code: 'damaged', message: `its record is no record ${hostile}` }],
    agents: ['anna'],
  })
}

/** Points that have names, of the group `web`. */
export const namedPoints = (now: number) =>
  [300, 180.5, 120, 61, 22, 4].map((ago, index) => ({
    ...{ position: 1_000_000 - ago * 60_000, time: (now - ago * 60_000) * 1000 },
    name: ['backup', 'before-update', 'nightly', 'after-update', 'nightly-2', 'quiesced'][index],
  }))

/** What is kept of a hub that was seen for some time. */
export function hubPage(now: number): HubPage {
  const page = new HubPage({ target: 5000 })
  for (let at = now - 900_000; at <= now; at += 2000) {
    const status = busyHub(at)
    const wave = 300 + 250 * Math.sin(at / 40_000) + (Math.abs(now - 400_000 - at) < 30_000 ? 7000 : 0)
    const groups = status.groups.map(group =>
      group.state === 'protected' ? { ...group, heard: (at - wave) * 1000 } : group,
    )
    page.sample({ ...status, groups }, at)
  }
  return page
}

/** The block graph of a primary, of two disks. */
export const primaryGraph: BlockParts = {
  nodes: [
    { id: 1, kind: 'device', name: '/machine/peripheral/virtio0/virtio-backend' },
    { id: 2, kind: 'node', name: 'disk0', driver: 'quorum' },
    { id: 3, kind: 'node', name: 'disk0-image', driver: 'raw', bitmaps: ['xenlight-12'] },
    { id: 4, kind: 'node', name: '#block118', driver: 'file', file: '/srv/guests/web-root.img' },
    { id: 5, kind: 'node', name: 'xl-12-replica-disk0', driver: 'replication' },
    { id: 6, kind: 'node', name: 'xl-12-nbd-disk0', driver: 'nbd', file: 'nbd://192.168.0.2:9000/disk0' },
    { id: 7, kind: 'device', name: '/machine/peripheral/virtio1/virtio-backend' },
    { id: 8, kind: 'node', name: 'disk1', driver: 'quorum' },
    { id: 9, kind: 'node', name: 'disk1-image', driver: 'qcow2' },
    { id: 10, kind: 'node', name: '#block231', driver: 'file', file: '/srv/guests/web-data.qcow2' },
    { id: 11, kind: 'node', name: 'xl-12-replica-disk1', driver: 'replication' },
    { id: 12, kind: 'node', name: 'xl-12-nbd-disk1', driver: 'nbd', file: 'nbd://192.168.0.2:9000/disk1' },
  ],
  edges: [
    ...[
      { from: 1, to: 2, role: 'root' },
      { from: 2, to: 3, role: 'children.0' },
      { from: 3, to: 4, role: 'file' },
      { from: 2, to: 5, role: 'children.1' },
      { from: 5, to: 6, role: 'file' },
    ],
    ...[
      { from: 7, to: 8, role: 'root' },
      { from: 8, to: 9, role: 'children.0' },
      { from: 9, to: 10, role: 'file' },
      { from: 8, to: 11, role: 'children.1' },
      { from: 11, to: 12, role: 'file' },
    ],
  ],
}

/** The block graph of a secondary, of one disk, with a job. */
export const secondaryGraph: BlockParts = {
  nodes: [
    { id: 1, kind: 'device', name: '/machine/peripheral/virtio0/virtio-backend' },
    { id: 2, kind: 'node', name: 'disk0', driver: 'quorum' },
    { id: 3, kind: 'node', name: 'disk0-replication', driver: 'replication' },
    { id: 4, kind: 'node', name: 'disk0-active', driver: 'qcow2', file: '/srv/colo/active.qcow2' },
    { id: 5, kind: 'node', name: 'disk0-hidden', driver: 'qcow2', file: '/srv/colo/hidden.qcow2' },
    {
      id: 6,
      kind: 'node',
      name: 'disk0-image',
      driver: 'raw',
      file: '/srv/guests/web-root.img',
      bitmaps: ['xenlight-12'],
    },
    { id: 7, kind: 'device', name: 'xl-12-disk0' },
    { id: 8, kind: 'job', name: 'xl-backup-disk0' },
  ],
  edges: [
    { from: 1, to: 2, role: 'root' },
    { from: 2, to: 3, role: 'children.0' },
    { from: 3, to: 4, role: 'file' },
    { from: 4, to: 5, role: 'backing' },
    { from: 5, to: 6, role: 'backing' },
    { from: 7, to: 6, role: 'root' },
    { from: 8, to: 5, role: 'target' },
    { from: 8, to: 6, role: 'main node' },
  ],
}

/** What is kept of a pair that was seen for some time. */
export function coloPage(now: number): ColoPage {
  const page = new ColoPage({ epoch: 12, every: 500 })
  const begin = now - 900_000
  page.event(
    { type: 'plan', disk: 'disk0', plan: { kind: 'changes', why: 'its changes since epoch 11 are known' } as never },
    begin,
  )
  page.event(
    { type: 'state', disk: 'disk0', state: { kind: 'protected', why: 'epoch 12', checkpoint: undefined } },
    begin,
  )
  page.event(
    { type: 'state', disk: 'disk1', state: { kind: 'protected', why: 'epoch 12', checkpoint: undefined } },
    begin,
  )
  page.seen('primary', { isRunning: true, graph: primaryGraph }, now - 800)
  page.seen('secondary', { isRunning: true, graph: secondaryGraph }, now - 900)
  let number = 0
  for (let at = begin; at <= now; at += 500) {
    const isSlow = Math.abs(now - 300_000 - at) < 8000
    if (isSlow && number % 6 !== 0) {
      number++
      page.tick(at)
      continue
    }
    const pause = 6 + 3 * Math.sin(at / 31_000) + (isSlow ? 38 : (number % 7) / 3)
    page.event({ type: 'checkpoint', checkpoint: { number: ++number, at: new Date(at) }, pause }, at)
  }
  const why = `the secondary fell silent: ${hostile}`
  page.event({ type: 'cut', why }, now - 290_000)
  page.event({ type: 'retry', why: 'the secondary does not answer', after: 1000 }, now - 289_000)
  return page
}
