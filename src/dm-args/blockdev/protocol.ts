import { checkTarget } from '../../libxl/check-guest.js'
import type { DiskTarget } from '../../libxl/choose-backend.js'
import type { NbdTarget } from '../../libxl/nbd-target.js'
import type { Blockdev } from './blockdev.js'
import { jsonPath, jsonText } from './json-text.js'

/** What `stat` says of a path. */
export type TargetOf = (path: string) => DiskTarget

/** The node that opens a path: unlike `-drive`, it must be told whether that is a file or a device. */
export const openPath = (name: string, path: string, targetOf: TargetOf | undefined): Blockdev => ({
  driver: isDevice(path, targetOf) ? 'host_device' : 'file',
  'node-name': name,
  filename: jsonPath(path),
})

/** The node that asks an NBD server on this host. */
export const openSocket = (name: string, target: NbdTarget, reconnectDelay: number | undefined): Blockdev => ({
  driver: 'nbd',
  'node-name': name,
  server: { type: 'unix', path: jsonPath(target.socket) },
  ...(target.export !== '' && { export: jsonText(target.export) }),
  ...(reconnectDelay !== undefined && { 'reconnect-delay': reconnectDelay }),
})

function isDevice(path: string, targetOf: TargetOf | undefined): boolean {
  if (targetOf === undefined) return /^\/dev\/(?!shm\/)/.test(path)
  const target = targetOf(path)
  checkTarget(target, 'the answer of targetOf')
  return target === 'block' || target === 'char'
}
