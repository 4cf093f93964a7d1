import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

/** A program that answers length-prefixed requests in order. One that dies of a request is started again. */
export interface Driver extends Disposable {
  /** The answers to a batch, in order: 'crash' for a request that ended the program. Memory is that of the batch. */
  ask(requests: readonly Buffer[]): Promise<(Buffer | 'crash')[]>
}

/** The program's own complaints (a request that it cannot read, no memory) end it with a status from here on. */
const ownFailure = 70

export function startDriver(program: string): Driver {
  let run: Run | undefined
  let turn: Promise<unknown> = Promise.resolve()

  async function ask(requests: readonly Buffer[]): Promise<(Buffer | 'crash')[]> {
    const answers: (Buffer | 'crash')[] = []
    while (answers.length < requests.length) {
      run ??= startRun(program)
      run.send(Buffer.concat(requests.slice(answers.length)))
      while (run && answers.length < requests.length) {
        const answer = await run.answers.next()
        if (!answer.done) {
          answers.push(answer.value)
        } else {
          const { status, said } = await run.end()
          if (status !== null && status >= ownFailure) throw new Error(said)
          answers.push('crash')
          run = undefined
        }
      }
    }
    return answers
  }

  return {
    ask(requests) {
      const result = turn.then(() => ask(requests))
      turn = result.catch(() => {})
      return result
    },
    [Symbol.dispose]() {
      void run?.end()
      run = undefined
    },
  }
}

type Run = ReturnType<typeof startRun>

function startRun(program: string) {
  const child = spawn(program, { stdio: 'pipe' })
  const closed = once(child, 'close')
  let said = ''
  child.stderr.on('data', chunk => {
    said += chunk
  })
  // A program that died no longer reads; that shows as the end of its answers.
  child.stdin.on('error', () => {})
  return {
    answers: framesOf(child.stdout),
    send: (bytes: Buffer) => child.stdin.write(bytes),
    async end(): Promise<{ status: number | null; said: string }> {
      child.stdin.end()
      const [status] = await closed
      return { status, said }
    },
  }
}

async function* framesOf(stream: Readable): AsyncGenerator<Buffer, void> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    let at = 0
    while (pending.length - at >= 4 && pending.length - at - 4 >= pending.readUInt32LE(at)) {
      const end = at + 4 + pending.readUInt32LE(at)
      yield pending.subarray(at + 4, end)
      at = end
    }
    pending = pending.subarray(at)
  }
}
