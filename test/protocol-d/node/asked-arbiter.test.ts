import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { type ArbitratedNode, AskedArbiter } from '#xenlight/protocol-d/node/asked-arbiter.js'

type Status = ReturnType<ArbitratedNode['status']>

const primary: Status = { role: 'primary', connection: 'none', promotion: 7, asksAlone: true, fencedBy: undefined }
const equal: Status = { ...primary, connection: 'equal', asksAlone: false }

/** A node whose state the test sets, and an arbiter that it answers for. */
class Played {
  status: Status = equal
  readonly asked: string[] = []
  answer: (error?: Error) => void = () => {}
  goesOn = 0
  readonly asking: AskedArbiter

  constructor() {
    const put = (question: string) => (promotion: number) => {
      this.asked.push(`${question} ${promotion}`)
      return new Promise<void>((resolve, reject) => {
        this.answer = error => (error === undefined ? resolve() : reject(error))
      })
    }
    const node = {
      status: () => this.status,
      goOnAlone: async () => {
        this.goesOn++
        this.status = { ...this.status, asksAlone: false }
        this.asking.look()
      },
    }
    this.asking = new AskedArbiter({ mayGoOnAlone: put('alone'), isEqual: put('equal') }, node, () => {})
  }

  async become(status: Partial<Status>): Promise<void> {
    this.status = { ...this.status, ...status }
    this.asking.look()
    await turn()
  }

  async answers(error?: Error): Promise<void> {
    this.answer(error)
    await turn()
  }
}

t.test('one question at a time, of the state that there is then', async t => {
  const played = new Played()
  await played.become(equal)
  await played.become(primary)
  t.same(played.asked, ['equal 7'], 'the first one is not answered yet')
  await played.answers()
  t.same(played.asked, ['equal 7', 'alone 7'])
  await played.answers()
  t.equal(played.goesOn, 1)
  await played.become(equal)
  await played.answers()
  await played.become({})
  t.same(played.asked, ['equal 7', 'alone 7', 'equal 7'], 'what it knows is not said again')
})

t.test(
  'an answer to an earlier loss counts for the one that there is: the arbiter has heard of nothing else',
  async t => {
    const played = new Played()
    await played.become(primary)
    await played.become(equal)
    await played.become(primary)
    await played.answers()
    t.same([played.asked, played.goesOn], [['alone 7'], 1])
  },
)

t.test('where both hold the same when it answers, it hears of that', async t => {
  const played = new Played()
  await played.become(primary)
  await played.become(equal)
  await played.answers()
  t.same([played.asked, played.goesOn], [['alone 7', 'equal 7'], 0])
})

t.test('a no is shown, and asked again, until it is no more the question', async t => {
  const played = new Played()
  await played.become(primary)
  await played.answers(new Error('no quorum'))
  t.equal(played.asking.why, 'no quorum')
  t.equal(played.goesOn, 0)
  await played.become(equal)
  await turn()
  t.same(played.asked, ['alone 7', 'equal 7'], 'at once')
  await played.answers()
  t.equal(played.asking.why, '')
})

t.test('an answer is for the promotion that it was asked of', async t => {
  const played = new Played()
  await played.become(primary)
  await played.become({ promotion: 9 })
  await played.answers()
  t.same([played.asked, played.goesOn], [['alone 7', 'alone 9'], 0])
  await played.become({ fencedBy: 11 })
  await played.answers()
  await played.become({})
  t.same([played.asked.length, played.goesOn], [2, 0], 'who is fenced asks nothing')
})

t.test('closed, it asks nothing more', async t => {
  const played = new Played()
  await played.become(primary)
  played.asking.close()
  await played.answers()
  await played.become({})
  t.same(played.asked, ['alone 7'])
})
