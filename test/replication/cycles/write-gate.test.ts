import t from 'tap'
import { MemoryBackend } from 'xenlight/nbd'
import { WriteGate } from '#xenlight/replication/cycles/write-gate.js'

t.test('a gate takes writes while it is open, and never again once it is shut', async t => {
  const disk = new MemoryBackend(4096)
  const gate = new WriteGate(disk)
  const write = (byte: number) => gate.write(0, new Uint8Array(16).fill(byte))
  const first = () => disk.read(0, 1)[0]
  t.throws(() => write(1), { code: 'ESHUTDOWN' }, 'before it is opened')
  gate.open()
  write(2)
  gate.writeZeroes(16, 100)
  t.equal(first(), 2)
  t.equal(gate.pause(), 116, 'it counts')
  t.throws(() => write(3), { code: 'ESHUTDOWN' })
  t.equal(gate.pause(), 0)
  gate.open()
  write(4)
  t.throws(() => gate.read(), { code: 'EPERM' })
  t.throws(() => gate.writeZeroes(0, 16, { fast: true }), { code: 'ENOTSUP' })
  gate.shut()
  gate.open()
  t.throws(() => write(5), { code: 'ESHUTDOWN' })
  t.throws(() => gate.writeZeroes(0, 16), { code: 'ESHUTDOWN' })
  t.equal(first(), 4)
})
