import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'

const root = '/local/domain'

/** The domains by their names, the lowest where several have one name (`libxl_name_to_domid`). */
export async function domainsByName(
  store: XenstoreNodes,
  request: RequestOptions = {},
): Promise<ReadonlyMap<string, number>> {
  const domids = (await store.directory(root, request)).filter(name => /^[0-9]{1,5}$/.test(name)).map(Number)
  domids.sort((a, b) => b - a)
  const names = await Promise.all(domids.map(domid => store.readIfPresent(`${root}/${domid}/name`, request)))
  const found = new Map<string, number>([['Domain-0', 0]])
  for (const [index, name] of names.entries()) if (name !== undefined) found.set(name, domids[index]!)
  return found
}
