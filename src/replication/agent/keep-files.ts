import { Buffer } from 'node:buffer'
import type { FileDone, KeepHost, KeepRequest } from '../../keep/keep-host.js'
import type { VolumeFiles } from './volume-files.js'

/** A volume's files as its metadata uses them: all but syncs is done when `file` returns. */
export class KeepFiles implements KeepHost {
  readonly #files: VolumeFiles

  constructor(files: VolumeFiles) {
    this.#files = files
  }

  file(request: KeepRequest, done: FileDone): void {
    const { meta } = this.#files
    if (request.kind === 'sync') {
      const synced = request.file === 'meta' ? meta.sync() : this.#files.syncImage()
      synced.then(() => done(undefined), done)
      return
    }
    let data: Uint8Array | undefined
    try {
      if (request.kind === 'read') {
        const bytes = Buffer.alloc(request.length)
        data = bytes.subarray(0, meta.readInto(request.offset, bytes))
      } else meta.write(request.offset, request.data)
    } catch (error) {
      done(error as Error)
      return
    }
    done(undefined, data)
  }
}
