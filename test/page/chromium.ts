import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Test } from 'tap'
import { needs } from '../nbd/programs.js'
import { eventually } from '../protocol-d/eventually.js'

type Json = Record<string, unknown>

/** A real browser without a screen, over a pipe in the protocol of its developer tools. */
export class Chromium {
  readonly #input: Writable
  readonly #asked = new Map<number, { resolve: (result: Json) => void; reject: (error: Error) => void }>()
  readonly #listeners = new Set<(session: string, method: string, params: Json) => void>()
  #last = 0
  #rest = ''

  private constructor(child: ChildProcess) {
    this.#input = child.stdio[3] as Writable
    this.#input.on('error', () => {})
    const output = child.stdio[4] as Readable
    output.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    child.once('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('Chromium has ended'))
    })
  }

  /** Starts it for a test, at the end of which it is gone. @throws MissingRealPart */
  static async start(t: Test): Promise<Chromium> {
    needs('chromium')
    const folder = mkdtempSync(join(tmpdir(), 'chromium-'))
    const args = [
      ...['--headless=new', '--no-sandbox', '--remote-debugging-pipe', `--user-data-dir=${folder}`, '--disable-gpu'],
      ...['--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
      ...[
        '--hide-scrollbars',
        '--ignore-certificate-errors',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      ],
    ]
    // the kernel ends it with the test
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '/usr/bin/chromium', ...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const chromium = new Chromium(child)
    t.teardown(async () => {
      const isOver = child.exitCode !== null || once(child, 'exit')
      await chromium.ask('Browser.close').catch(() => child.kill('SIGKILL'))
      await isOver
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    })
    await chromium.ask('Browser.getVersion')
    return chromium
  }

  ask(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    })
  }

  onEvent(listener: (session: string, method: string, params: Json) => void): void {
    this.#listeners.add(listener)
  }

  /** Opens a tab, with cookies of its own. */
  async tab(): Promise<Tab> {
    const { browserContextId } = await this.ask('Target.createBrowserContext')
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank', browserContextId })
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true })
    const tab = new Tab(this, sessionId as string)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await tab.ask(`${domain}.enable`)
    return tab
  }

  #take(text: string): void {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop()!
    for (const message of messages) {
      const { id, result, error, method, params, sessionId } = JSON.parse(message)
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (error !== undefined) asked?.reject(new Error(error.message))
      else asked?.resolve(result)
      if (method !== undefined) for (const listener of this.#listeners) listener(sessionId ?? '', method, params)
    }
  }
}

/** A tab, and what it complained of. */
export class Tab {
  /** What its console has of errors, what broke the content security policy, and what was asked of elsewhere. */
  readonly errors: string[] = []
  readonly requests: string[] = []
  readonly #chromium: Chromium
  readonly #session: string

  constructor(chromium: Chromium, session: string) {
    this.#chromium = chromium
    this.#session = session
    chromium.onEvent((its, method, params) => {
      if (its !== session) return
      if (method === 'Runtime.exceptionThrown') this.errors.push(JSON.stringify(params))
      if (method === 'Runtime.consoleAPICalled') this.errors.push(JSON.stringify(params))
      if (method === 'Network.requestWillBeSent')
        this.requests.push((params as { request: { url: string } }).request.url)
      const { entry } = params as { entry?: { level: string; text: string; url?: string } }
      if (method === 'Log.entryAdded' && entry?.level === 'error') this.errors.push(`${entry.text} ${entry.url ?? ''}`)
    })
  }

  ask(method: string, params: Json = {}): Promise<Json> {
    return this.#chromium.ask(method, params, this.#session)
  }

  /** @param size in CSS pixels */
  async look(size: { width: number; height: number }, scheme: 'light' | 'dark'): Promise<void> {
    const isPhone = size.width < 600
    await this.ask('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: isPhone })
    await this.ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
  }

  async goTo(url: string): Promise<void> {
    await this.ask('Page.navigate', { url })
    await this.until(`location.href !== 'about:blank' && document.readyState === 'complete'`)
  }

  /** The value of an expression, as JSON has it. @throws Error what it throws */
  async value<T = unknown>(expression: string): Promise<T> {
    const answer = await this.ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: object }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }

  /** Waits until an expression is true. */
  until(expression: string): Promise<void> {
    return eventually(
      expression,
      async () => (await this.value(expression).catch(() => false)) === true,
      () => this.errors.join('\n'),
    )
  }

  text(selector: string): Promise<string> {
    return this.value(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ''`)
  }

  /** Clicks into an element, by default into its middle. @param share of its width, from the left */
  async click(selector: string, share = 0.5): Promise<void> {
    const found = `document.querySelector(${JSON.stringify(selector)})`
    const box = await this.value<{ x: number; y: number; width: number; height: number }>(
      `(${found}.scrollIntoView({ block: 'center' }), ${found}.getBoundingClientRect().toJSON())`,
    )
    const at = { x: box.x + box.width * share, y: box.y + box.height / 2, button: 'left', clickCount: 1 }
    await this.ask('Input.dispatchMouseEvent', { ...at, type: 'mousePressed' })
    await this.ask('Input.dispatchMouseEvent', { ...at, type: 'mouseReleased' })
  }

  async key(key: string, text?: string): Promise<void> {
    const codes: Readonly<Record<string, number>> = {
      ...{ Tab: 9, Enter: 13, PageUp: 33, PageDown: 34, End: 35, Home: 36, ArrowLeft: 37, ArrowRight: 39 },
    }
    const event = { key, code: key, windowsVirtualKeyCode: codes[key], text }
    await this.ask('Input.dispatchKeyEvent', { ...event, type: 'keyDown' })
    await this.ask('Input.dispatchKeyEvent', { ...event, type: 'keyUp' })
  }

  async type(text: string): Promise<void> {
    await this.ask('Input.insertText', { text })
  }

  /** All of the page, as a PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.ask('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true })
    return Buffer.from(data as string, 'base64')
  }
}
