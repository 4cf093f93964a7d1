import t from 'tap'
import { formatVdev } from 'xenlight'
import { resultLine } from '#xenlight/cli/batch/result-line.js'
import { isOutOfMemory } from '#xenlight/cli/out-of-memory.js'
import { runWith } from './fake-io.js'

/** What V8 throws where something does not fit. */
const full: Record<string, () => unknown> = {
  'a text': () => 'x'.repeat(2 ** 30),
  'a buffer': () => new ArrayBuffer(2 ** 50),
}
function overflow(): number {
  return overflow() + 1
}
/** RangeErrors of another kind. */
const bugs: Record<string, () => unknown> = {
  'a stack that overflows': overflow,
  'an argument of ours': () => formatVdev(-1),
  "an argument of the engine's": () => (1).toFixed(101),
  'an array of no length': () => new Array(-1),
  'no Unicode character': () => String.fromCodePoint(-1),
}
const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
    return undefined
  } catch (error) {
    return error
  }
}

t.test('only what does not fit is a lack of memory', async t => {
  for (const [name, call] of Object.entries(full)) t.equal(isOutOfMemory(thrownBy(call)), true, name)
  for (const [name, call] of Object.entries(bugs)) {
    const error = thrownBy(call)
    t.type(error, RangeError, name)
    t.equal(isOutOfMemory(error), false, name)
  }
})

t.test('the command calls a lack of memory a refusal, and a bug an internal error', async t => {
  const run = (error: unknown) => runWith(['vdev=xvda,target=/x'], { failing: { after: 0, error } })
  for (const call of Object.values(full)) {
    const { status, stderr } = run(thrownBy(call))
    t.equal(status, 1)
    t.match(stderr, /more than fits into memory/)
  }
  for (const call of Object.values(bugs)) {
    const error = thrownBy(call) as Error
    t.strictSame(run(error), {
      status: 70,
      stdout: '',
      stderr: `xl-disk-parse: internal error: ${error.message}\n`,
    })
  }
})

t.test('in a batch a stack that overflows is no answer either', async t => {
  const atTheEndOfTheStack = (): string => {
    try {
      return atTheEndOfTheStack()
    } catch {
      return resultLine('vdev=xvda,target=/x', false)
    }
  }
  t.match(atTheEndOfTheStack(), /^\{"rc":0,/)
})
