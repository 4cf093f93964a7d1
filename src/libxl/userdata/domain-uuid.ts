import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'

const vmPath = /^\/vm\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** The UUID of a domain that libxl made, as libxl's node /local/domain/DOMID/vm has it; undefined for any other. */
export async function domainUuid(
  store: XenstoreNodes,
  domid: number,
  request: RequestOptions,
): Promise<string | undefined> {
  const path = await store.readIfPresent(`/local/domain/${domid}/vm`, request)
  return vmPath.exec(path ?? '')?.[1]
}
