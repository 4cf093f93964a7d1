import type { Xenstore } from '../../xenstore/xenstore.js'
import type { DiskDevice } from './disk-device.js'

export async function destroyDevice(store: Xenstore, { paths }: DiskDevice): Promise<void> {
  await store.transaction(async nodes => {
    for (const path of Object.values(paths)) await nodes.rm(path).catch(() => {})
  })
}
