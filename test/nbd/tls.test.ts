import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd, listenNbd, MemoryBackend, type NbdServerTls } from 'xenlight/nbd'
import { realPart } from '../support/real-part.js'
import { output, succeeds } from './programs.js'
import { optionOf, RawClient, uint32 } from './raw-client.js'
import { socketFolder } from './socket-folder.js'

interface Certificates {
  folder: string
  ca: Buffer
  server: { cert: Buffer; key: Buffer }
  client: { cert: Buffer; key: Buffer }
}

/** An authority, and a certificate of a server and of a client, under the names that QEMU and libnbd look for. */
async function certificates(t: Test): Promise<Certificates> {
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2']
  await output('openssl', ...make, '-subj', '/CN=authority', '-keyout', at('ca-key.pem'), '-out', at('ca-cert.pem'))
  const by = ['-CA', at('ca-cert.pem'), '-CAkey', at('ca-key.pem'), '-addext', 'basicConstraints=critical,CA:FALSE']
  for (const who of ['server', 'client']) {
    const name = ['-subj', `/CN=localhost`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    await output('openssl', ...make, ...by, ...name, '-keyout', at(`${who}-key.pem`), '-out', at(`${who}-cert.pem`))
  }
  const read = (name: string) => readFileSync(at(name))
  const pair = (who: string) => ({ cert: read(`${who}-cert.pem`), key: read(`${who}-key.pem`) })
  return { folder, ca: read('ca-cert.pem'), server: pair('server'), client: pair('client') }
}

async function serve(t: Test, tls: NbdServerTls) {
  const path = join(socketFolder(t), 's')
  // no time limit may end what has to end by itself
  const options = { tls, handshakeTimeout: 600_000 }
  const exports = [{ name: '', backend: new MemoryBackend(1024 * 1024) }]
  const unix = await listenNbd({ path }, exports, options)
  const tcp = await listenNbd({ port: 0 }, exports, options)
  t.teardown(() => Promise.all([unix.close(), tcp.close()]))
  return { path, port: (tcp.address as { port: number }).port }
}

t.test('TLS', async t => {
  const made = await realPart(t, () => certificates(t))
  if (made === undefined) return
  const { folder, ca, server, client } = made

  await t.test('our client: with a certificate, with none, without TLS', async t => {
    const { path, port } = await serve(t, { ...server, ca })
    await using good = await connectNbd({ host: 'localhost', port }, { tls: { ca, ...client } })
    const data = Buffer.alloc(300_000, 7)
    await good.write(5, data)
    t.ok(Buffer.from(await good.read(5, data.length)).equals(data))
    await using local = await connectNbd({ path }, { tls: { ca, ...client, serverName: 'localhost' } })
    t.equal((await local.read(5, 1))[0], 7)
    const anonymous = connectNbd({ host: 'localhost', port }, { tls: { ca } })
    await t.rejects(anonymous, { name: 'NbdError' }, 'without a certificate')
    await t.rejects(connectNbd({ path }), { code: 'refused', message: /wants TLS/ }, 'without TLS')
    const stranger = connectNbd({ path }, { tls: { ca, ...client, serverName: 'elsewhere' } })
    await t.rejects(stranger, { name: 'NbdError' }, 'a certificate for another name')
    await t.rejects(connectNbd({ host: 'localhost', port }, { tls: client }), { name: 'NbdError' }, 'another authority')
  })

  await t.test('libnbd and QEMU', async t => {
    const { port } = await serve(t, { ...server, ca })
    const url = `nbds://localhost:${port}/?tls-certificates=${folder}`
    t.match(await output('nbdinfo', url), /with TLS/)
    t.notOk(await succeeds('nbdinfo', `nbd://localhost:${port}/`), 'not without TLS')
    const object = `tls-creds-x509,id=t,dir=${folder},endpoint=client`
    const image = `driver=nbd,host=localhost,port=${port},tls-creds=t`
    const commands = ['-c', 'write -P 3 0 200k', '-c', 'read -P 3 0 200k']
    t.notMatch(await output('qemu-io', '--object', object, '--image-opts', image, ...commands), /fail|error/i)
  })

  await t.test('where TLS may be, both are served; where there is none, it is refused', async t => {
    const { path } = await serve(t, { ...server, required: false })
    await using plain = await connectNbd({ path })
    await using secure = await connectNbd({ path }, { tls: { ca, serverName: 'localhost' } })
    t.equal(plain.size, secure.size)
    const none = join(socketFolder(t), 's')
    await using _ = await listenNbd({ path: none }, [])
    await t.rejects(connectNbd({ path: none }, { tls: { ca, serverName: 'localhost' } }), { code: 'no-tls' })
  })

  await t.test('before STARTTLS nothing is told; plain text behind it ends the connection', async t => {
    const { path } = await serve(t, server)
    using curious = new RawClient(path)
    await curious.take(18)
    curious.send(uint32(3))
    for (const kind of [3, 6, 7, 8, 9, 10, 99]) {
      curious.send(optionOf(kind))
      t.equal((await curious.answer()).type, 0x8000_0005, `option ${kind}`)
    }
    using injected = new RawClient(path)
    await injected.take(18)
    injected.send(uint32(3), optionOf(5), optionOf(3))
    await injected.ended
    using named = new RawClient(path)
    await named.take(18)
    named.send(uint32(3), optionOf(1))
    await named.ended
    t.equal((await named.take(10)).length, 0, 'EXPORT_NAME without TLS')
  })
})
