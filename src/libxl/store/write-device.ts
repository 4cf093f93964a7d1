import { setTimeout as delay } from 'node:timers/promises'
import { deadline } from '../../link/deadline.js'
import { CommitUnknownError } from '../../xenstore/commit-unknown-error.js'
import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import type { DomainType } from '../resolved-disk.js'
import { codeOf } from '../system-error.js'
import { contradictionPause, isContradiction, mostContradictions } from './contradiction.js'
import type { DeviceClaim } from './device-claim.js'
import { type DeviceRequest, deviceRequests } from './device-requests.js'
import type { DiskDevice } from './disk-device.js'
import type { PreparedDisk } from './prepare-disk.js'
import { unlessMissing } from './unless-missing.js'

export interface WriteOptions {
  domainType: DomainType
  /** Commit what came before a refused request, as libxl does, and call it a success. */
  libxlExact?: boolean | undefined
  signal?: AbortSignal | undefined
  /** What is to know the device again, where it may have to be removed. */
  claim?: DeviceClaim | undefined
  /** What else is to be written once the store has accepted all, before each attempt to commit. */
  beforeCommit?: (() => Promise<void> | undefined) | undefined
}

/**
 * Puts a disk in the store, in one transaction whose requests are sent without waiting for each other's answers. Where the
 * device exists, or a request is refused, nothing is committed. Several disks come one behind the other: all change the
 * guest's list of devices.
 *
 * @returns how often the transaction was tried
 * @throws LibxlError, XenstoreError when nothing was written; CommitUnknownError
 */
export async function writeDevice(
  store: Xenstore,
  { disk, device }: PreparedDisk,
  { domainType, libxlExact = false, signal, claim, beforeCommit }: WriteOptions,
): Promise<number> {
  let requests = deviceRequests(disk, device, domainType)
  for (let attempt = 1; ; attempt++) {
    try {
      const body = async (nodes: XenstoreNodes) => {
        await writeAll(store, nodes, { device, requests, claim })
        await beforeCommit?.()
      }
      return await commit(store, body, signal)
    } catch (error) {
      if (error instanceof CommitUnknownError) claim?.doubt(() => error.committed)
      if (!(error instanceof RefusedRequest)) throw error
      if (isContradiction(error.cause) && attempt < mostContradictions) {
        await delay(contradictionPause(attempt), undefined, { signal })
        continue
      }
      if (!libxlExact) throw new LibxlError('store-refused', error.message, { cause: error.cause })
      requests = requests.slice(0, error.index)
    }
  }
}

/**
 * While it is being committed the signal waits for the answer: without it nobody could tell this device from the same one
 * of somebody who was quicker, and taking it away might take away his.
 */
async function commit(
  store: Xenstore,
  body: (nodes: XenstoreNodes) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const giveUp = new AbortController()
  let committing = false
  const bound = deadline({ signal }, () => {
    if (!committing) giveUp.abort(signal?.reason)
  })
  const whole = async (nodes: XenstoreNodes) => {
    committing = false
    signal?.throwIfAborted()
    await body(nodes)
    committing = true
  }
  try {
    return (await store.transaction(whole, { signal: giveUp.signal, inTurn: true })).attempts
  } finally {
    bound[Symbol.dispose]()
  }
}

async function writeAll(
  store: Xenstore,
  nodes: XenstoreNodes,
  {
    device,
    requests,
    claim,
  }: { device: DiskDevice; requests: readonly DeviceRequest[]; claim: DeviceClaim | undefined },
): Promise<void> {
  const existing = nodes.readIfPresent(device.paths.libxl)
  const paths = checkDomainPaths(store, device)
  const [, , ...answers] = await Promise.allSettled([existing, paths, ...requests.map(request => send(nodes, request))])
  if ((await existing) !== undefined) throw alreadyExists(device)
  await paths
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'rejected') throw refusalOf(index, answer.reason)
  }
  await claim?.ready
  await claim?.expectCommit()
}

/** As libxl does. Our own paths are made of domain numbers alone; a store with another idea of them would lose the disk. */
async function checkDomainPaths(store: Xenstore, { domid, backendDomid }: DiskDevice): Promise<void> {
  const domids = [domid, backendDomid]
  const paths = await Promise.all(domids.map(domid => store.getDomainPath(domid)))
  const odd = paths.find((path, index) => path !== `/local/domain/${domids[index]}`)
  if (odd !== undefined)
    throw new LibxlError('store-layout', `the store has a domain at ${odd}: only /local/domain is known here`)
}

function send(nodes: XenstoreNodes, request: DeviceRequest): Promise<void> {
  switch (request.operation) {
    case 'RM':
      return nodes.rm(request.path).catch(unlessMissing)
    case 'MKDIR':
      return nodes.mkdir(request.path)
    case 'WRITE':
      return nodes.write(request.path, request.value)
    case 'SET_PERMS':
      return nodes.setPermissions(request.path, request.permissions)
  }
}

class RefusedRequest extends Error {
  readonly index: number

  constructor(index: number, cause: Error) {
    super(`the store refuses the disk: ${cause.message}`, { cause })
    this.index = index
  }
}

const refusalOf = (index: number, error: unknown): unknown =>
  error instanceof Error && !isConnectionLost(error) ? new RefusedRequest(index, error) : error

/** Not refusals of the store's: what becomes of a request is unknown then. */
const lost = new Set(['ETIMEDOUT', 'ECANCELED', 'ECONNRESET', 'EPIPE', 'EPROTO', 'EBADF'])
const isConnectionLost = (error: unknown): boolean => lost.has(codeOf(error))

const alreadyExists = ({ devid, domid }: DiskDevice): LibxlError =>
  new LibxlError('device-exists', `device already exists in xenstore: ${devid} of domain ${domid}`)
