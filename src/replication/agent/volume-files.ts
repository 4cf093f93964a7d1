import type { OpenFile } from '../folder.js'

/** What a volume's keep is kept in. */
export interface VolumeFiles {
  readonly meta: OpenFile
  /** Settles when what was written to the image is durable. */
  syncImage(): Promise<void>
  /** Makes `meta` unreadable for whoever opens it next: it is not true any more. May throw. */
  discardMeta(): void
}
