import { createMetadata, type Kept, Metadata as KeptMetadata, loadMetadata } from '../../keep/metadata.js'
import type { FileHost } from '../file-host.js'
import type { Geometry } from '../geometry.js'
import { ProtocolDError } from '../protocol-d-error.js'
import type { MetaRecord } from './meta-record.js'

type Done = (error?: Error) => void

/** What a node keeps besides its data. */
export class Metadata extends KeptMetadata<MetaRecord> {
  override readonly geometry: Geometry

  private constructor(host: FileHost, kept: Kept<MetaRecord>) {
    super(host, kept)
    const { logSize, activity } = kept.record.record
    this.geometry = { ...kept.geometry, logSize }
    for (const extent of activity) this.differing.addRun(this.blocksOf(extent))
  }

  /** Writes the metadata of a new disk, of which nothing is known. */
  static create(host: FileHost, geometry: Geometry, record: MetaRecord, done: Done): void {
    createMetadata(host, geometry, record, done)
  }

  /** Reads what was kept. Fails with ProtocolDError no-metadata, or the file's error. */
  static load(
    host: FileHost,
    geometry: Pick<Geometry, 'activeExtents'>,
    done: (error: Error | undefined, metadata?: Metadata) => void,
  ): void {
    loadMetadata<MetaRecord>(host, geometry, (error, kept) => {
      if (error !== undefined) done(error)
      else if (kept === undefined) done(noMetadata())
      else done(undefined, new Metadata(host, kept))
    })
  }
}

const noMetadata = () =>
  new ProtocolDError(
    'no-metadata',
    'there is no metadata, or both copies of it are damaged: create the node anew, and its peer brings it up to date',
  )
