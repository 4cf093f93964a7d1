import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  connectNbd,
  listenNbd,
  MemoryBackend,
  type NbdExport,
  type NbdExports,
  type NbdServerOptions,
} from 'xenlight/nbd'
import { optionOf, RawClient, requestOf, uint16, uint32 } from './raw-client.js'
import { socketFolder } from './socket-folder.js'

const backend = new MemoryBackend(1024 * 1024)

async function serve(t: Test, exports: NbdExports, options: NbdServerOptions = {}): Promise<string> {
  const path = join(socketFolder(t), 's')
  const server = await listenNbd({ path }, exports, options)
  t.teardown(() => server.close())
  return path
}

const counted = (text: string) => Buffer.concat([uint32(text.length), Buffer.from(text)])
const asking = (kind: number, name: string, ...infos: number[]) =>
  optionOf(kind, Buffer.concat([counted(name), uint16(infos.length), ...infos.map(uint16)]))
const [list, info, go, structured, setContext] = [3, 6, 7, 8, 10]
const [ack, isInfo, unknown, sizesRequired] = [1, 3, 0x8000_0006, 0x8000_0008]

/** The types of the answers to one option; of infos their kind too. */
async function answers(client: RawClient): Promise<string> {
  const types: string[] = []
  for (;;) {
    const { type, data } = await client.answer()
    types.push(type === isInfo ? `info ${data.readUInt16BE(0)}` : type.toString(16))
    if (type === ack || type >= 0x8000_0000) return types.join(' ')
  }
}

async function begun(path: string): Promise<RawClient> {
  const client = new RawClient(path)
  await client.take(18)
  client.send(uint32(3))
  return client
}

const planted = new Error('planted')
const failing: [string, NbdExports, NbdServerOptions][] = [
  [
    'it throws',
    name => {
      if (name !== 'good') throw planted
      return { name, backend }
    },
    {},
  ],
  [
    'it returns no export',
    name => (name === 'good' ? { name, backend } : ({}.constructor as unknown as NbdExport)),
    {},
  ],
  ['it returns null', name => (name === 'good' ? { name, backend } : (null as unknown as undefined)), {}],
  ['it returns a promise', name => (name === 'good' ? { name, backend } : (Promise.resolve() as never)), {}],
]

t.test(
  'what goes wrong in the function that knows the exports is its owner’s, and no export for the client',
  async t => {
    for (const [what, exports, options] of failing) {
      const errors: unknown[] = []
      const path = await serve(t, exports, { ...options, onError: error => errors.push(error) })
      using client = await begun(path)
      client.send(asking(info, 'bad'))
      t.equal(await answers(client), unknown.toString(16), what)
      client.send(asking(go, 'bad'))
      t.equal(await answers(client), unknown.toString(16), what)
      client.send(optionOf(1, Buffer.from('bad')))
      await client.ended
      t.equal(errors.length, 3, 'the owner hears of each')
      t.ok(errors.every(error => error instanceof Error))
      await (await connectNbd({ path }, { export: 'good' })).disconnect()
    }
    const silent = await serve(t, failing[0]![1])
    await t.rejects(
      connectNbd({ path: silent }, { export: 'bad' }),
      { code: 'refused' },
      'an owner who does not listen',
    )
  },
)

t.test('names that cannot be told', async t => {
  for (const names of [
    () => {
      throw planted
    },
    () => 5,
    () => [5],
    () => ['x'.repeat(4097)],
  ]) {
    const errors: unknown[] = []
    const options = { names: names as () => string[], onError: (error: unknown) => errors.push(error) }
    using client = await begun(await serve(t, name => ({ name, backend }), options))
    client.send(optionOf(list))
    t.equal(await answers(client), unknown.toString(16))
    t.equal(errors.length, 1)
    client.send(asking(go, 'x'))
    t.equal(await answers(client), 'info 0 info 3 1')
  }
})

t.test('a selection of contexts that fails leaves none selected', async t => {
  const path = await serve(t, [{ name: '', backend }])
  const select = optionOf(setContext, Buffer.concat([counted(''), uint32(1), counted('base:allocation')]))
  for (const [what, bad] of [
    ['malformed', optionOf(setContext, uint32(0))],
    ['too big', optionOf(setContext, Buffer.alloc(20_000))],
    ['of nobody', optionOf(setContext, Buffer.concat([counted('nobody'), uint32(0)]))],
  ] as const) {
    using client = await begun(path)
    client.send(optionOf(structured), select, bad, asking(go, ''))
    t.equal(await answers(client), '1')
    t.equal(await answers(client), '4 1')
    await answers(client)
    await answers(client)
    client.send(requestOf(7, 0, 4096))
    t.equal((await client.take(20)).readUInt16BE(6), 0x8001, what)
  }
})

t.test('block sizes are told to who does not know them, and asked for once', async t => {
  const sizes = { backend, blockSizes: { minimum: 512 } }
  const path = await serve(t, [
    { name: '', ...sizes },
    { name: 'x', ...sizes },
  ])
  using client = await begun(path)
  client.send(asking(go, ''))
  t.equal(await answers(client), `info 3 ${sizesRequired.toString(16)}`, 'they come with the refusal')
  client.send(asking(info, '', 3), asking(go, 'x'), asking(go, ''))
  t.equal(await answers(client), 'info 0 info 3 1')
  t.equal(await answers(client), `info 3 ${sizesRequired.toString(16)}`, 'those of another')
  t.equal(await answers(client), 'info 0 info 3 1', 'known by INFO')
  using oldest = await begun(path)
  oldest.send(optionOf(1))
  await oldest.ended
})

t.test('block sizes that the protocol does not allow are a wrong argument', async t => {
  const cases: [NonNullable<NbdExport['blockSizes']>, string][] = [
    [{ minimum: 3 }, 'minimum'],
    [{ minimum: 131_072 }, 'minimum'],
    [{ preferred: 1000 }, 'preferred'],
    [{ preferred: 256 }, 'preferred'],
    [{ minimum: 4096, preferred: 2048 }, 'preferred'],
    [{ preferred: 65_536, maximum: 4096 }, 'preferred'],
    [{ maximum: 256 }, 'maximum'],
    [{ minimum: 512, maximum: 1000 }, 'maximum'],
    [{ minimum: 4096, maximum: 2048 }, 'maximum'],
    [{ maximum: 2 ** 26 }, 'maximum'],
  ]
  for (const [blockSizes, field] of cases)
    await t.rejects(
      serve(t, [{ name: '', backend, blockSizes }]),
      { name: 'RangeError', message: new RegExp(`^exports\\[0\\]\\.blockSizes\\.${field} `) },
      JSON.stringify(blockSizes),
    )
  for (const [blockSizes, preferred] of [
    [{ maximum: 1000 }, 512],
    [{ minimum: 8192 }, 8192],
    [{ minimum: 512, maximum: 1536, preferred: 1024 }, 1024],
  ] as const) {
    await using client = await connectNbd({ path: await serve(t, [{ name: '', backend, blockSizes }]) })
    t.match(client.info.blockSizes, { ...blockSizes, preferred })
  }
})
