/** What the daemon sent is not the protocol: nothing that follows on that connection can be relied on. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}
