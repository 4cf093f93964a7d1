import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { hosts } from './real-hosts.js'

const mebibyte = 1024 * 1024
const rephub = join(projectRoot, 'dist/bin/rephub.cjs')

t.test("parts of a protected disk and of a branch, as the agent's configuration allows", async t => {
  const here = hosts(t)
  const at = (name: string) => join(here.folder, name)
  writeFileSync(at('root'), Buffer.alloc(8 * mebibyte, 1))
  await here.hub()
  const protect = async (hubMay: string) => {
    const group = `web: { hubMay: [${hubMay}], disks: { root: { image: ${at('root')} } } }`
    const config = `name: anna\nhub: ${at('h')}\nstate: ${at('state')}\nrun: ${at('run')}\ngroups: { ${group} }\n`
    writeFileSync(at('config'), config)
    const agent = here.stay('repagent', 'serve', '--config', at('config'), '--control', at('agent.ctl'))
    await agent.until(/connected/)
    await here.until('web', 'protected')
    return agent
  }
  const where = ['web', 'root', '--offset', '4095', '--control', at('hub.ctl')]
  const read = (length: number, ...options: string[]) =>
    execFileSync(process.execPath, [rephub, 'read', ...where, '--length', `${length}`, ...options], {
      maxBuffer: 8 * mebibyte,
    })
  const write = async (bytes: Uint8Array) => {
    const writing = here.stay('rephub', 'write', ...where)
    // one that is refused reads no more
    writing.child.stdin!.on('error', () => {}).end(bytes)
    return await writing.ended
  }
  const bytes = randomBytes(2 * mebibyte + 4711)

  const first = await protect('control')
  t.match(await write(bytes), { status: 2, stderr: /the hub may not do this with web: add 'write' to hubMay/ })
  t.match(await here.rephub('read', ...where.slice(0, -2), '--length', '1'), {
    status: 2,
    stderr: /add 'read' to hubMay/,
  })
  first.child.kill()
  await first.ended
  await here.until('web', 'disconnected')
  await protect('read, write')
  t.match(await here.rephub('test', 'web', '--branch', 'before'), { status: 0 })
  {
    await using guest = await connectNbd({ path: here.disk('web', 'root') }, { export: 'web/root' })
    t.strictSame(await write(bytes), { status: 0, signal: null, stdout: '', stderr: '' })
    t.ok(Buffer.from(await guest.read(4095, bytes.length)).equals(bytes), 'a guest that has the disk sees it')
  }
  t.ok(read(bytes.length).equals(bytes))
  t.ok(
    readFileSync(at('root'))
      .subarray(4095, 4095 + bytes.length)
      .equals(bytes),
  )
  t.match(await here.repagent('checkpoint', 'web', 'written'), { status: 0 })
  t.match(await here.rephub('test', 'web', '--at', 'written', '--branch', 'after'), { status: 0 })
  t.ok(read(bytes.length, '--branch', 'after').equals(bytes), 'it is replicated as what a guest writes')
  t.ok(read(4711, '--branch', 'before').equals(Buffer.alloc(4711, 1)))
  t.match(await write(Buffer.alloc(8 * mebibyte)), {
    status: 1,
    stderr: /1048576 bytes at 7344127 are beyond the end of root, .*; 7340032 bytes from 4095 on are written/,
  })

  // standard input that does not come is not waited for by who is interrupted
  const idle = here.stay('rephub', 'write', ...where)
  idle.child.stdin!.write('some')
  const proc = (file: string) => readFileSync(`/proc/${idle.child.pid}/${file}`, 'latin1')
  const caught = () => BigInt(`0x${/^SigCgt:\t(.*)$/m.exec(proc('status'))![1]}`)
  // Node.js alone lets a SIGHUP end it, and before it has begun the process is a copy of this one
  await eventually('it hears signals', () => proc('cmdline').includes('--offset') && (caught() & 1n) === 1n)
  idle.child.kill('SIGINT')
  t.match(await idle.ended, { status: 130, stderr: 'rephub: interrupted: 0 bytes from 4095 on are written\n' })
})
