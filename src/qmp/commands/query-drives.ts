import { type QmpCommand, takes } from '../command.js'
import { fieldsOf, list, object, text } from '../reply.js'

/** A drive of QEMU's older kind (`-drive`). */
export interface Drive {
  id: string
  /** The node that it stands on; undefined for an empty one. */
  nodeName: string | undefined
}

/** The drives that have an id (`query-block`). */
export const queryDrives = {
  name: 'query-block',
  takes: takes(),
  reply: value =>
    list(value, 'the drives', (element): Drive => {
      const drive = object(element, 'a drive')
      const { inserted } = drive
      const { 'node-name': nodeName } = fieldsOf(inserted) ?? {}
      return { id: text(drive, 'device'), nodeName: typeof nodeName === 'string' ? nodeName : undefined }
    }).filter(({ id }) => id !== ''),
} satisfies QmpCommand
