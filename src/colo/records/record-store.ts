/** Where a side keeps what must outlive its QEMU: one text for each image. */
export interface RecordStore {
  /** Undefined where nothing was ever written of this image. */
  read(image: string): Promise<string | undefined>
  /** Resolves when the text is durable. */
  write(image: string, text: string): Promise<void>
}
