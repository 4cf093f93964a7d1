/**
 * @typedef {{ control: boolean, guard: string | null, every: number }} Hello
 * @typedef {object} Follower
 * @property {(hello: Hello) => void} onHello
 * @property {(view: any) => void} onView
 * @property {(isLive: boolean, silence: number) => void} onLife called each second: whether what is shown is so now, and for how long
 *   nothing was heard, in milliseconds
 */

/** Follows what the server says, and looks for it again when it is gone. What is old is never said to be so now. */
export class Stream {
  /** @type {Follower} */
  #follower
  /** @type {EventSource | undefined} */
  #source
  #group = ''
  #every = 2000
  #heard = performance.now()
  #isLive = false
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again

  /** @param {Follower} follower */
  constructor(follower) {
    this.#follower = follower
    setInterval(() => this.#beat(), 1000)
  }

  /** @param {string} group whose details are wanted; any where it is empty */
  follow(group) {
    this.#group = group
    this.#open()
  }

  #open() {
    clearTimeout(this.#again)
    this.#source?.close()
    const query = this.#group === '' ? '' : `?group=${encodeURIComponent(this.#group)}`
    const source = new EventSource(`/events${query}`)
    this.#source = source
    source.addEventListener('hello', ({ data }) => {
      const hello = JSON.parse(data)
      this.#every = hello.every
      this.#follower.onHello(hello)
    })
    source.addEventListener('view', ({ data }) => {
      this.#heard = performance.now()
      this.#isLive = true
      this.#follower.onView(JSON.parse(data))
      this.#beat()
    })
    source.addEventListener('error', () => {
      this.#isLive = false
      this.#beat()
      // a browser tries again by itself, unless it was refused
      if (source.readyState === EventSource.CLOSED) this.#again = setTimeout(() => this.#askWhy(), 3000)
    })
  }

  /** No browser says why a stream was refused. */
  async #askWhy() {
    const answer = await fetch('/state', { method: 'HEAD' }).catch(() => undefined)
    if (answer?.status === 401) location.assign('/login')
    else this.#open()
  }

  #beat() {
    const silence = performance.now() - this.#heard
    if (silence > Math.max(6000, 3 * this.#every)) this.#isLive = false
    this.#follower.onLife(this.#isLive, silence)
  }
}
