import type { Xenstore } from '../../xenstore/xenstore.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'

export interface ConnectOptions {
  host: DiskHost
  signal?: AbortSignal | undefined
}

export async function connectBackend(_store: Xenstore, _device: DiskDevice, _options: ConnectOptions): Promise<void> {}
