/** What can be changed from a page: each takes what somebody sent, anything, and its result is for JSON. */
export type PageChanges = Readonly<Record<'test' | 'discard', (given: unknown) => Promise<object>>>

/** Why a change is not made. Its message is shown. */
export class PageRefusal extends Error {
  override readonly name = 'PageRefusal'
}
