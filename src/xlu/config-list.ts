import type { ConfigList, ConfigValue } from './config-value.js'

/** The entry of bison's stack that does not fit: YYMAXDEPTH is 10000. */
const tooDeep = 9999
/** Entries below a setting's value: the start, the statements so far, the key and its operator. */
const valueDepth = 3

interface OpenList {
  list: ConfigList
  /** Entries of bison's stack up to the list's bracket and the newlines after it. */
  base: number
  /** The same up to the place of the next item, or of the item just read. */
  slot: number
}

/**
 * The lists being read, innermost last, without recursion. It keeps count of the entries that bison's stack has at the
 * same place, because libxl refuses what does not fit there; each method tells whether it fitted.
 */
export class ConfigListStack {
  readonly #open: OpenList[] = []
  /** The next item may stand here: just after an opening bracket or a comma. */
  wantsItem = false

  get depth(): number {
    return this.#open.length
  }

  get innermost(): ConfigList | undefined {
    return this.#open.at(-1)?.list
  }

  open(start: number): boolean {
    const base = (this.#open.at(-1)?.slot ?? valueDepth) + 2
    this.#open.push({ list: { kind: 'list', item: [], values: [], start, end: start + 1 }, base, slot: base })
    this.wantsItem = true
    return base < tooDeep
  }

  add(value: ConfigValue): boolean {
    const { list, slot } = this.#open.at(-1)!
    list.item.push(value.item)
    list.values.push(value)
    this.wantsItem = false
    return slot + 2 < tooDeep
  }

  newline(): boolean {
    return this.#open.at(-1)!.slot + (this.wantsItem ? 1 : 3) < tooDeep
  }

  comma(): boolean {
    const list = this.#open.at(-1)!
    list.slot = list.base + 3
    this.wantsItem = true
    return list.slot < tooDeep
  }

  /** Ends the innermost list; `close` must have fitted before its value counts. */
  close(end: number): { list: ConfigList; fits: boolean } {
    const { list, base } = this.#open.pop()!
    list.end = end
    this.wantsItem = false
    return { list, fits: base + 2 < tooDeep }
  }

  /** Whether bison gets as far as to refuse a token: it first takes the list for finished. */
  refuse(): boolean {
    return !this.wantsItem || this.#open.at(-1)!.base + 1 < tooDeep
  }

  clear(): void {
    this.#open.length = 0
  }
}
