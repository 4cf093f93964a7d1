import t from 'tap'
import { patiently } from '#xenlight/command-line/patiently.js'

const failure = (code: string) => Object.assign(new Error(code), { code })

t.test('a call is made again until it is not to be made again', async t => {
  for (const refusals of [0, 1, 5]) {
    let calls = 0
    const got = patiently(() => {
      if (calls++ < refusals) throw failure('EAGAIN')
      return 7
    })
    t.strictSame({ got, calls }, { got: 7, calls: refusals + 1 })
  }
})

t.test('any other failure is thrown on', async t => {
  for (const error of [failure('EIO'), failure('EPIPE'), new Error('EAGAIN')]) {
    let calls = 0
    const call = () => {
      if (calls++ === 0) throw failure('EAGAIN')
      throw error
    }
    t.throws(() => patiently(call), error)
    t.equal(calls, 2)
  }
})
