/** How many looks are remembered that were not answered yet: more than fit into a silence. */
const marksAtMost = 64

/** Up to when the other end has received what was sent, by its own word: what it says after that word was said after that time. */
export class AnsweredUntil {
  #marks: { written: number; time: number }[] = []
  #time: number | undefined

  get time(): number | undefined {
    return this.#time
  }

  /** So many bytes were written in all, the last of them at that time. */
  sent(written: number, time: number): void {
    if (this.#marks.length < marksAtMost) this.#marks.push({ written, time })
  }

  /** The other end says how many bytes it has received in all. */
  took(received: number): void {
    const done = this.#marks.findLastIndex(({ written }) => written <= received)
    if (done < 0) return
    this.#time = this.#marks[done]!.time
    this.#marks = this.#marks.slice(done + 1)
  }
}
