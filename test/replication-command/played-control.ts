import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { socketFolder } from '../nbd/socket-folder.js'

/** What was asked. */
export interface Asked {
  execute: string
  arguments: Record<string, unknown>
}

/** An answer, or a promise of one; undefined: none ever comes. A Refusal that is thrown is answered too. */
export type Answers = (asked: Asked) => unknown

export class Refusal extends Error {
  readonly code: string

  constructor(code: string, message = 'not now') {
    super(message)
    this.code = code
  }
}

/** Stands where an agent or a hub is asked, and answers what the test says. @param raw is written instead of any answer */
export async function playedControl(
  t: Test,
  answer: Answers,
  raw?: string,
): Promise<{ control: string; asked: Asked[] }> {
  const control = join(socketFolder(t), 'ctl')
  const asked: Asked[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    let rest = ''
    socket.on('data', bytes => {
      if (raw !== undefined) {
        socket.write(raw)
        return
      }
      const lines = `${rest}${bytes}`.split('\n')
      rest = lines.pop()!
      for (const line of lines) {
        const { id, ...request } = JSON.parse(line) as Asked & { id: number }
        asked.push(request)
        void reply(answer, request).then(said => said && socket.write(`${JSON.stringify({ id, ...said })}\n`))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(control, resolve))
  t.teardown(() => server.close())
  return { control, asked }
}

async function reply(answer: Answers, request: Asked): Promise<object | undefined> {
  try {
    const value = await answer(request)
    return value === undefined ? undefined : { return: value }
  } catch (error) {
    const { code, message } = error as Refusal
    return { error: { code, message } }
  }
}
