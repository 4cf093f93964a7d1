/** Works through a list with two workers, each with something of its own. Rejects as the first that fails does. */
export async function twoAtATime<Item, Own>(
  items: readonly Item[],
  own: readonly [Own, Own],
  work: (item: Item, own: Own) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  await Promise.all(
    own.map(async one => {
      for (const item of rest) await work(item, one)
    }),
  )
}
