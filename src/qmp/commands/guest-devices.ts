import { type QmpCommand, takes } from '../command.js'
import { fieldsOf, list, object } from '../reply.js'

/** A disk's device, as the guest has it. */
export interface GuestDevice {
  /** Where it is in QEMU's object tree. */
  path: string
  /** The node that it stands on; undefined for an empty drive. */
  nodeName: string | undefined
}

/** The devices of the guest's disks (`query-block`), in QEMU's order. */
export const guestDevices = {
  name: 'query-block',
  takes: takes(),
  reply: value =>
    list(value, 'the devices', element => object(element, 'a device')).flatMap(({ qdev, inserted }): GuestDevice[] => {
      if (typeof qdev !== 'string') return []
      const { 'node-name': nodeName } = fieldsOf(inserted) ?? {}
      const path = qdev.startsWith('/') ? qdev : `/machine/peripheral/${qdev}`
      return [{ path, nodeName: typeof nodeName === 'string' ? nodeName : undefined }]
    }),
} satisfies QmpCommand
