import { checkFunction, checkObject } from '../../check-argument.js'
import type { CheckpointKind, StepOptions } from '../../checkpoint/checkpoint-kind.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { printable } from '../../printable.js'
import { RemusError } from '../remus-error.js'
import { fifoFolder, tapFifo } from './tap-fifo.js'

/** The two FIFOs of one disk. */
export interface TapFifos {
  write(text: string): Promise<void>
  /** Waits for so many bytes, in however many pieces they come. */
  read(bytes: number, options: StepOptions): Promise<string>
  close(): Promise<void>
}

export interface TapKindOptions {
  /** Opens a FIFO and its `.msg`, without waiting for the other end. @throws RemusError */
  open: (path: string, options: StepOptions) => Promise<TapFifos>
}

/** Disks of xend's `tap:remus:HOST:PORT|…`, for `setUpCheckpoints`. A peer that is not there shows as the step's deadline. */
export function tapKind(given: TapKindOptions): CheckpointKind<ResolvedDisk> {
  checkObject('options', given)
  checkFunction('open', given.open)
  return {
    name: 'tap',
    async match({ pdevPath }) {
      const name = pdevPath === undefined ? undefined : tapFifo(pdevPath)
      if (name === undefined) return { mismatch: 'its target is not remus:HOST:PORT|…' }
      let fifos: TapFifos | undefined
      return {
        device: {
          async setup(options) {
            fifos = await given.open(`${fifoFolder}/${name}`, options)
          },
          postsuspend: () => fifos!.write('flush'),
          async preresume() {},
          async commit(options) {
            const word = await fifos!.read(4, options)
            if (word !== 'done')
              throw new RemusError('checkpoint-failed', `tapdisk answered '${printable(word)}' to flush, not 'done'`)
          },
          async teardown() {
            const open = fifos
            fifos = undefined
            await open?.close()
          },
        },
      }
    },
  }
}
