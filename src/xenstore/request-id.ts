/** The next number for a request: any 32 bits but 0 (events have that), and none whose answer has not come. */
export function nextRequestId(last: number | undefined, taken: { has(id: number): boolean }): number {
  let id = last ?? 0
  do id = id === 0xffff_ffff ? 1 : id + 1
  while (taken.has(id))
  return id
}
