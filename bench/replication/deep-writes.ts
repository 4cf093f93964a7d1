import { runFio } from '../fio.js'
import { byTurns } from './by-turns.js'
import { keptGuest } from './kept-guest.js'
import { mebibyte } from './make-disk.js'

const size = 64 * mebibyte
const options = ['--rw=randwrite', '--bs=4k', '--iodepth=16', `--size=${size}`, '--runtime=2']

/** The same with 16 writes at a time, through an export of the QEMU that has the disk. */
export const benchDeepWrites = (): Promise<string> =>
  byTurns({
    title: "replication: 4 KiB writes through a QEMU's export, depth 16",
    unit: 'IOPS',
    sets: [['background mirror', 'blocking mirror'], ['cycles'], ['child']],
    async begin(stack, keeping) {
      const guest = await keptGuest(stack, keeping, { size, data: size })
      return async () => {
        const { write } = await runFio(guest.uri, options)
        await guest.untilKept()
        return write.iops
      }
    },
  })
