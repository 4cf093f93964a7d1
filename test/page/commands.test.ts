import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { freePort } from '../protocol-d/free-port.js'
import { hosts } from '../rephub/real-hosts.js'
import { projectRoot } from '../support/project-root.js'
import { staying } from '../support/staying.js'
import { ask, type Question } from './node/ask.js'

t.test('rephub, while it serves: a test is started and discarded from its page', { timeout: 120_000 }, async t => {
  const here = hosts(t)
  const at = (name: string) => join(here.folder, name)
  writeFileSync(at('root.img'), Buffer.alloc(1024 * 1024))
  await here.hub('--page', at('page'), '--page-token', at('token'), '--page-control')
  await here.agent('web', `root=${at('root.img')}`)
  await here.until('web', 'protected')
  const token = readFileSync(at('token'), 'utf8').trim()
  const headers = { Authorization: `Bearer ${token}` }
  const asked = (path: string, question: Question = {}) => ask({ path: at('page') }, path, { headers, ...question })
  t.match(await asked('/', { headers: {} }), { status: 303 })
  t.match(await asked('/'), { status: 200, body: /<title>xenlight/ })
  const state = async () => JSON.parse((await asked('/state?group=web')).body)
  t.match(await state(), {
    ...{ kind: 'hub', level: 'good', summary: 'The group is protected', agents: ['anna'] },
    selected: { name: 'web', volumes: [{ name: 'root', size: 1024 * 1024 }], branchList: [], agent: 'anna' },
  })
  await eventually('how far it is behind is kept', async () =>
    (await state()).selected.series?.values.some((value: unknown) => typeof value === 'number'),
  )
  const post = (path: string, given: object) => asked(path, { method: 'POST', body: JSON.stringify(given) })

  const [from] = (await state()).selected.line.ranges[0]
  const started = await post('/test', { group: 'web', at: { time: from } })
  t.match(started, { status: 200 })
  const { branch } = JSON.parse(started.body)
  t.match((await state()).selected.branchList, [{ name: branch, kind: 'test', time: from }])
  t.match(await here.rephub('arguments', 'web', branch), { status: 0, stdout: /root: nbd/ })
  const refused: [path: string, given: object, why: RegExp][] = [
    ['/test', { group: 'mail' }, /there is no group mail/],
    ['/test', { group: 'web', at: { time: 1 } }, /no point is kept/],
    ['/test', { group: '../web' }, /cannot be the name of a group/],
    ['/test', [], /its arguments are no object/],
    ['/test', { group: 'web', branch }, new RegExp(branch)],
    ['/discard', { group: 'web', branch: 'other' }, /other/],
    ['/discard', { group: 'web' }, /cannot be the name of a branch/],
  ]
  for (const [path, given, why] of refused)
    t.match(await post(path, given), { status: 409, body: why }, JSON.stringify(given))
  t.match(await post('/discard', { group: 'web', branch }), { status: 200 })
  t.strictSame((await state()).selected.branchList, [])

  // the truth of a group is for its user alone
  t.match(await here.rephub('failover', 'web', '--branch', 'truth'), { status: 0 })
  t.match(await post('/discard', { group: 'web', branch: 'truth' }), { status: 409, body: /is a fail-over/ })
  t.match(await state(), { level: 'warn', selected: { state: 'failed-over', behind: null } })
})

t.test('by the configuration; and what is wrong is said', { timeout: 60_000 }, async t => {
  const here = hosts(t)
  const port = await freePort()
  const at = (name: string) => join(here.folder, name)
  writeFileSync(at('config'), `data: ${at('copies')}\npage: { address: ${port}, token: ${at('token')} }\n`)
  await here.hub('--config', at('config'))
  const headers = { Authorization: `Bearer ${readFileSync(at('token'), 'utf8').trim()}` }
  const address = { host: '127.0.0.1', port }
  t.match(await ask(address, '/state', { headers }), { status: 200, body: /"summary":"No groups yet"/ })
  const refused = await ask(address, '/test', { method: 'POST', headers, body: '{"group":"web"}' })
  t.match(refused, { status: 403, body: /--page-control/ })

  const other = ['serve', '--data', at('other'), '--control', at('other.ctl'), '--page', at('p'), '--page-token']
  writeFileSync(at('short'), 'secret', { mode: 0o600 })
  t.match(await here.stay('rephub', ...other, at('short')).ended, {
    status: 1,
    stderr: /short: its secret is too short/,
  })
  writeFileSync(at('open'), 'x'.repeat(40), { mode: 0o644 })
  t.match(await here.stay('rephub', ...other, at('open')).ended, { status: 1, stderr: /every user may open it/ })
  const nowhere = await here.stay('rephub', ...other, at('no/token')).ended
  t.match(nowhere, { status: 1, stderr: /no\/token: No such file or directory/ })
  const noTls = await here.stay('rephub', ...other, at('token'), '--page-tls', at('no')).ended
  t.match(noTls, { status: 1, stderr: /no\/cert\.pem: No such file or directory/ })
  const taken = ['serve', '--data', at('other'), '--control', at('other.ctl'), '--page-token', at('token')]
  const second = await here.stay('rephub', ...taken, '--page', String(port)).ended
  t.match(second, { status: 1, stderr: /cannot listen for who looks at the page at 127\.0\.0\.1/ })
})

t.test('the package has the page, and its command finds it', { timeout: 120_000 }, async t => {
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  // without its scripts: what is built is there
  const packed = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [{ filename }] = JSON.parse(execFileSync('npm', packed, { cwd: projectRoot, encoding: 'utf8' }))
  mkdirSync(at('unpacked'))
  execFileSync('tar', ['-xzf', at(filename), '-C', at('unpacked')])
  const words = ['serve', '--data', at('copies'), '--control', at('ctl'), '--page', at('page'), '--page-token', at('t')]
  const command = ['--pdeathsig', 'KILL', process.execPath, at('unpacked/package/dist/bin/rephub.cjs'), ...words]
  const serving = staying(spawn('setpriv', command))
  await serving.until(/^hub /)
  for (const path of ['/login', '/page.css', '/page.js', '/icon.svg'])
    t.match(await ask({ path: at('page') }, path), { status: 200 }, path)
  serving.child.kill('SIGTERM')
  t.match(await serving.ended, { status: 143 })
})
