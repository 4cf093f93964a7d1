import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { probeDrbd, probeStatuses, type RunTool, runDrbdTool, type ToolResult } from 'xenlight/remus'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { drbdsetup, standInTools } from './stand-in-tools.js'

interface Machine {
  events?: string
  show?: string
  devices?: string
  drbdadm?: Partial<ToolResult>
}

const events = (cstate: string, role: string, peer: string) => `exists resource name:r0 role:${role} suspended:no
exists connection name:r0 peer-node-id:1 conn-name:b connection:${cstate} role:${peer}
exists device name:r0 volume:0 minor:0 disk:UpToDate
exists device name:r0 volume:1 minor:7 disk:Inconsistent
exists peer-device name:r0 peer-node-id:1 conn-name:b volume:0 replication:Established peer-disk:UpToDate
exists -
`
const show = (protocol: string) => `resource r0 {\n  net {\n    protocol ${protocol};\n  }\n}\n`

/** drbdadm and drbdsetup that answer so; a drbdadm that is told nothing knows no resource, as drbd-utils 9.22 says it. */
const stand =
  ({ events = 'exists -\n', show = '', devices = '', drbdadm }: Machine): RunTool =>
  async (program, [verb, asked]) => {
    const none = { status: 0, stdout: '', stderr: '' }
    if (program === 'drbdsetup') return { ...none, stdout: verb === 'events2' ? events : show }
    if (drbdadm !== undefined) return { ...none, ...drbdadm }
    if (devices !== '') return { ...none, stdout: devices }
    return { ...none, status: 1, stderr: `'${asked}' not defined in your config (for this host).\n` }
  }

const { PATH } = process.env
const recorded = (name: string) => readFileSync(join(projectRoot, `test/remus/recorded/${name}.txt`), 'utf8')

const cases: readonly [name: string, target: string, machine: Machine, outcome: keyof typeof probeStatuses][] = [
  ['ready', '/dev/drbd0', { events: events('Connected', 'Primary', 'Secondary'), show: show('D') }, 'ready'],
  ['by resource', 'drbd:r0', { events: events('Connected', 'Primary', 'Secondary'), show: show('D') }, 'ready'],
  ['no DRBD device', '/dev/sda', {}, 'not-drbd'],
  ['an option for a name', 'drbd:--help', {}, 'not-drbd'],
  ['a path for a name', 'drbd:../r0', {}, 'not-drbd'],
  ['no such minor', '/dev/drbd5', { events: events('Connected', 'Primary', 'Secondary') }, 'not-drbd'],
  ['configured, not up', '/dev/drbd0', { devices: '/dev/drbd0\n' }, 'not-ready'],
  [
    'protocol C',
    '/dev/drbd0',
    { events: events('Connected', 'Primary', 'Secondary'), show: show('C') },
    'not-protocol-d',
  ],
  ['disconnected', '/dev/drbd0', { events: events('Connecting', 'Primary', 'Unknown'), show: show('D') }, 'not-ready'],
  ['secondary', '/dev/drbd0', { events: events('Connected', 'Secondary', 'Primary'), show: show('D') }, 'not-ready'],
]

for (const [name, target, machine, outcome] of cases)
  t.test(`${name}: ${outcome}`, async t => {
    const found = await probeDrbd(target, { run: stand(machine) })
    t.equal(found.outcome, outcome)
    if (outcome !== 'ready') t.ok(found.why && found.hint, 'it says why, and what to do')
  })

t.test('the second volume of a resource is another device', async t => {
  const run = stand({ events: events('Connected', 'Primary', 'Secondary'), show: show('D') })
  t.match(await probeDrbd('/dev/drbd/by-res/r0/1', { run }), {
    device: '/dev/drbd7',
    disks: ['Inconsistent', 'Unknown'],
  })
})

const ready = { events: events('Connected', 'Primary', 'Secondary'), show: show('D') }
const up = { events: ready.events, show: recorded('8.4-primary-show') }

for (const [name, wrote] of [
  ['nothing', ''],
  ['a blank line', '\n'],
  ['nonsense', '\0\x1b[31mgarbage\n'],
  ['nonsense before the end', 'drbd: what?\nexists -\n'],
  ['a first line that was cut', 'exists resource name:r9 role:Pri'],
  ['a list without its end', up.events.replace('exists -\n', '')],
  ['a device without its minor', 'exists device name:r9 volume:0 minor:\nexists -\n'],
  ['a device of no volume', 'exists device name:r9 volume:x minor:9\nexists -\n'],
] as const)
  t.test(`events2 writes ${name}: unknown, whatever is asked for`, async t => {
    for (const target of ['drbd:r9', '/dev/drbd9', '/dev/drbd/by-res/r9/0', 'drbd:r0'])
      t.match(await probeDrbd(target, { run: stand({ ...up, events: wrote }) }), {
        outcome: 'unknown',
        why: /events2 .*did not write a list that ends with "exists -"/,
        hint: /run drbdsetup events2 --now --statistics yourself/,
      })
  })

for (const [name, wrote] of [
  ['nothing', ''],
  ['nonsense', 'what?\n'],
  ['protocol D, and no section', 'protocol D;\n'],
  ['sections of no resource', 'net {\n  protocol D;\n}\n'],
  ['a resource that was cut', ready.show.replace(/}\n}\n$/, '')],
  ['a string that was cut', 'resource r0 {\n  net {\n    protocol D;\n    shared-secret "x }\n}\n'],
  ['a setting that was cut', 'resource r0 {\n  net {\n    protocol }\n}\n'],
  ['a brace too many', `${ready.show}}\n`],
  ['a protocol that is none', 'resource r0 {\n  net {\n    protocol "D";\n  }\n}\n'],
] as const)
  t.test(`show writes ${name}: unknown`, async t => {
    t.match(await probeDrbd('drbd:r0', { run: stand({ ...ready, show: wrote }) }), {
      outcome: 'unknown',
      why: 'drbdsetup show r0 did not write the whole settings of a resource',
      hint: /run drbdsetup show r0 yourself/,
    })
  })

/** As drbd-utils 9.22 says it: `drbdadm-84`, and drbdadm for 9. */
const noSuch = {
  'no such resource': { status: 1, stderr: "'r9' not defined in your config (for this host).\n" },
  'no such resource, in the first years': { status: 3, stderr: "'r9' not defined in your config (for this host).\n" },
  'no such resource, and a warning': {
    status: 1,
    stderr: "modinfo: ERROR: Module drbd not found.\n'r9' not defined in your config (for this host).\n",
  },
  'no resources': { status: 1, stderr: 'no resources defined!\n' },
}

for (const [name, drbdadm] of Object.entries(noSuch))
  t.test(`drbdadm says ${name}: not-drbd`, async t => {
    t.match(await probeDrbd('drbd:r9', { run: stand({ ...up, drbdadm }) }), {
      outcome: 'not-drbd',
      why: "neither the kernel nor DRBD's configuration has DRBD resource r9",
    })
  })

t.test('drbdadm has resources of other hosts only: not-drbd', async t => {
  const stderr = 'WARN: no normal resources defined for this host (vm)!?\nMisspelled name of the local machine …\n'
  const found = await probeDrbd('/dev/drbd9', { run: stand({ ...up, drbdadm: { status: 1, stderr } }) })
  t.equal(found.outcome, 'not-drbd')
})

const parseError = "/etc/drbd.d/r1.res:3: Parse error: 'protocol | on' expected,\n\tbut got 'foo' (TK 281)\n"
for (const [name, drbdadm, why] of [
  ['a configuration with faults', { status: 10, stderr: parseError }, /ended with 10: .*r1.res:3: Parse error/],
  ['no configuration', { status: 10, stderr: "Can not open '/etc/drbd.conf': …\n" }, /ended with 10: Can not open/],
  ['another resource that is not defined', { status: 1, stderr: "'r1' not defined in your config" }, /ended with 1/],
  ['not defined, and a defect', { status: 20, stderr: "'r9' not defined in your config" }, /ended with 20/],
  ['nothing, and a status', { status: 1 }, /ended with 1: $/],
  ['a signal', { status: undefined }, /ended with a signal/],
  ['nothing, and success', {}, /wrote no list of devices/],
  ['nonsense, and success', { stdout: 'usage: drbdadm\n' }, /wrote no list of devices/],
] as const)
  t.test(`drbdadm answers with ${name}: unknown`, async t => {
    for (const [target, asked] of [
      ['drbd:r9', 'r9'],
      ['/dev/drbd9', 'all'],
    ] as const) {
      const found = await probeDrbd(target, { run: stand({ ...up, drbdadm }) })
      t.match(found, { outcome: 'unknown', why, hint: `run drbdadm sh-dev ${asked} yourself` })
      t.match(found.why, `drbdadm sh-dev ${asked} `)
    }
  })

/** drbdadm of a host whose r0 has these volumes, with what 9 says of others; 8.4 says that they are not defined. */
const withVolumes =
  (volumes: Readonly<Record<string, string>>, says: (volume: string) => string): RunTool =>
  async (program, args, limits) => {
    if (program === 'drbdsetup') return await stand(ready)(program, args, limits)
    const [resource, volume] = args[1]!.split('/')
    const devices = volume === undefined ? Object.values(volumes) : [volumes[volume]].filter(name => name !== undefined)
    const isThere = resource === 'r0' && devices.length > 0
    return { status: isThere ? 0 : 1, stdout: devices.join('\n'), stderr: isThere ? '' : `${says(volume ?? '')}\n` }
  }

for (const [version, says] of [
  ['8.4', (volume: string) => `'r0/${volume}' not defined in your config (for this host).`],
  ['9', (volume: string) => `Resource 'r0' has no volume ${volume}`],
] as const)
  t.test(`a volume that a resource has not, by drbdadm of ${version}, and one that is not up yet`, async t => {
    const run = withVolumes({ 0: '/dev/drbd0', 1: '/dev/drbd7', 3: '/dev/drbd8' }, says)
    t.match(await probeDrbd('/dev/drbd/by-res/r0/7', { run }), {
      outcome: 'not-drbd',
      why: "neither the kernel nor DRBD's configuration has volume 7 of DRBD resource r0",
    })
    t.match(await probeDrbd('/dev/drbd/by-res/r0/3', { run }), {
      outcome: 'not-ready',
      why: 'volume 3 of DRBD resource r0 is configured, but not up',
      hint: 'bring it up: drbdadm adjust r0',
    })
  })

const inNet = (text: string) => `resource "r0" {\n  net {\n${text}\n  }\n  _peer_node_id 1;\n}\n`
for (const [name, wrote, outcome] of [
  ['a secret', inNet('    shared-secret "x; protocol D;";'), 'not-protocol-d'],
  ['a secret with quotes and a new line', inNet('    shared-secret "x\\";\nprotocol D;\\\\";'), 'not-protocol-d'],
  ['a comment', `# was: protocol D;\n${show('C')}`, 'not-protocol-d'],
  ['a comment with a quote in it', inNet('    verify-alg "a"; # "b\n    # protocol D;'), 'not-protocol-d'],
  ['another section', 'resource r0 {\n  options {\n    protocol D;\n  }\n  net {\n  }\n}\n', 'not-protocol-d'],
  ['the resource itself', 'resource r0 {\n  protocol D;\n  net {\n  }\n}\n', 'not-protocol-d'],
  [
    'the net of one peer of two',
    inNet('    protocol D;').replace('_peer', 'net { protocol A; }\n_peer'),
    'not-protocol-d',
  ],
  ['its net, with comments', inNet('    protocol D; # default\n    # protocol C;\n    a "#"; # "'), 'ready'],
  ['its net, after a secret', inNet('    shared-secret "{ # \\" protocol C;";protocol\tD;'), 'ready'],
] as const)
  t.test(`protocol D in ${name}: ${outcome}`, async t => {
    t.equal((await probeDrbd('drbd:r0', { run: stand({ ...ready, show: wrote }) })).outcome, outcome)
  })

t.test('a process that has no file descriptors left gets an answer, and lives', t => {
  const script = `import fs from 'node:fs'
    import { probeDrbd, runDrbdTool } from 'xenlight/remus'
    // what is loaded when it is first used
    await probeDrbd('drbd:r0', { run: runDrbdTool })
    const all = []
    try { for (;;) all.push(fs.openSync('/dev/null')) } catch {}
    const found = []
    for (let free = 0; free < 8; free++) {
      found.push(await probeDrbd('drbd:r0', { run: runDrbdTool }))
      fs.closeSync(all.pop())
    }
    for (const one of all) fs.closeSync(one)
    fs.writeSync(1, JSON.stringify(found))`
  const limited = 'ulimit -n 256; exec "$0" --input-type=module --eval "$1"'
  const folder = standInTools(t, { drbdsetup: 'exit 20' })
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', limited, process.execPath, script], {
    cwd: projectRoot,
    encoding: 'utf8',
    env: { PATH: `${folder}:${PATH}` },
  })
  t.equal(status, 0, stderr)
  const found = JSON.parse(stdout || '[]')
  t.match(found[0], {
    outcome: 'unknown',
    why: "DRBD's tools did not answer: drbdsetup cannot be run: no file descriptors are left (EMFILE)",
    hint: /ulimit -n/,
  })
  for (const { outcome } of found) t.equal(outcome, 'unknown')
  t.end()
})

t.test('a tool that the kernel does not start at all is an error of its own', async t => {
  const limits = { outputBytes: 10 }
  const failed = { name: 'RemusError', code: 'tool-failed', message: 'true cannot be run: spawn E2BIG' }
  await t.rejects(runDrbdTool('true', ['x'.repeat(4 << 20)], limits), failed)
  // what no kernel was asked is the caller's mistake, and stays what Node says of it
  await t.rejects(runDrbdTool('true', ['\0'], limits), { code: 'ERR_INVALID_ARG_VALUE' })
})

t.test('a drbdsetup that is missing, hangs or writes without end is unknown', async t => {
  const as =
    (program: string, ...args: string[]): RunTool =>
    (_, __, limits) =>
      runDrbdTool(program, args, limits)
  t.match(await probeDrbd('/dev/drbd0', { run: as('no-drbdsetup-here') }), {
    outcome: 'unknown',
    hint: 'install drbd-utils',
  })
  t.match(await probeDrbd('/dev/drbd0', { run: as('sleep', '60'), timeout: 50 }), {
    outcome: 'unknown',
    why: /not done within 50 ms/,
  })
  t.match(await probeDrbd('/dev/drbd0', { run: as('yes') }), { outcome: 'unknown', why: /wrote more than/ })
})

t.test('whatever the tools write: one of the five answers, in printable text', async t => {
  const { SEED } = process.env
  const seed = Number(SEED ?? Date.now() % 2 ** 31)
  t.comment(`SEED=${seed}`)
  const value = fc.oneof(
    fc.constantFrom('r0', 'r1', '0', '1', 'Connected', 'Primary', '--force', '../x', '\x1b[2J'),
    fc.string(),
  )
  const key = fc.constantFrom('name', 'minor', 'volume', 'role', 'connection', 'peer-node-id', 'disk', 'peer-disk', '')
  const pairs = fc.array(fc.tuple(key, value), { maxLength: 8 })
  const kind = fc.constantFrom('resource', 'device', 'connection', 'peer-device', '-', '')
  const line = fc
    .tuple(kind, pairs)
    .map(([kind, pairs]) => `exists ${kind} ${pairs.map(pair => pair.join(':')).join(' ')}`)
  const device = fc
    .tuple(fc.constantFrom('r0', 'r1', '--force', '\x1b[2J'), fc.nat(2), fc.nat(2))
    .map(([name, volume, minor]) => `exists device name:${name} volume:${volume} minor:${minor} disk:\x1b[2J`)
  // most are whole lists: what is none is `unknown`, and nothing more is looked at
  const listed = line.filter(line => /^exists (?!device)\S[^\n]*$/.test(line))
  const whole = fc.array(fc.oneof(device, listed), { maxLength: 20 }).map(lines => [...lines, 'exists -'].join('\n'))
  const anything = fc.array(fc.oneof(line, fc.string()), { maxLength: 20 }).map(lines => lines.join('\n'))
  const answered = new Set<string>()
  const target = fc.constantFrom('/dev/drbd0', '/dev/drbd1', 'drbd:r0', '/dev/drbd/by-res/r1/1')
  const shown = fc.oneof(fc.constantFrom('', show('D'), show('C')), fc.string())
  await fc.assert(
    fc.asyncProperty(
      target,
      fc.oneof({ weight: 4, arbitrary: whole }, { weight: 1, arbitrary: anything }),
      shown,
      fc.oneof(fc.constantFrom('', '/dev/drbd0\n'), fc.string()),
      async (target, events, show, devices) => {
        const asked: string[] = []
        const run: RunTool = (program, args, limits) => {
          asked.push(...args.slice(1))
          return stand({ events, show, devices })(program, args, limits)
        }
        const found = await probeDrbd(target, { run })
        if (!(found.outcome in probeStatuses)) throw new Error(`${found.outcome}`)
        answered.add(found.outcome)
        for (const text of Object.values(found).flat())
          if (/\p{Cc}/u.test(text)) throw new Error(`${JSON.stringify(text)} is shown`)
        for (const word of asked)
          if (!/^(?:--now|--statistics|all|\w[\w.+-]*(?:\/\d+)?)$/.test(word)) throw new Error(`${word} reached a tool`)
      },
    ),
    { seed, numRuns: 3000 },
  )
  for (const outcome of ['not-drbd', 'unknown', 'not-protocol-d', 'not-ready'])
    t.ok(answered.has(outcome), `some were ${outcome}`)
})

t.test('a megabyte of any shape takes as long as it is', async t => {
  const lines = ['device name:r0 minor:1', 'connection name:r0', 'peer-device name:r0 volume:0', 'resource name:r0']
  const mixed = lines.map(line => `exists ${line}\n`).join('')
  const shapes = [
    ...lines.map(line => `exists ${line}\n`),
    mixed,
    'exists ',
    'protocol ',
    'a:b ',
    ' ',
    '\n',
    'net {\n',
    '"',
    '\\',
    '"\\',
    '#',
    'a;',
  ]
  for (const shape of shapes) {
    const megabyte = shape.repeat(Math.ceil(1_048_576 / shape.length))
    const events = `exists device name:r0 minor:0\n${megabyte}\nexists -\n`
    const shows = [megabyte, `resource r0 { ${megabyte}`, `resource r0 { a "${megabyte}`]
    for (const text of [{ events }, ...shows.map(show => ({ events: up.events, show }))]) {
      const found = await probeDrbd('/dev/drbd0', { run: stand(text) })
      t.ok(found.outcome in probeStatuses, JSON.stringify(shape))
    }
  }
})

const upstream = '/etc/xen/scripts/block-drbd-probe'
/** What each says of /dev/drbd0, as an exit status: on the same tools, which speak to the script as those of its time did. */
async function asked(t: Test, cstate: string, role: string, protocol: string, device = '/dev/drbd0') {
  const [own = '', peer = ''] = role.split('/')
  const folder = standInTools(t, {
    drbdadm: `case $1 in sh-dev) echo ${device};; sh-resource) echo r0;; cstate) echo ${cstate};; role) echo ${role};; esac`,
    drbdsetup: `case $1 in /dev/*) echo '    protocol ${protocol};'; exit;; esac
      ${drbdsetup({ events: device === '/dev/drbd0' ? events(cstate, own, peer) : 'exists -\n', show: show(protocol) })}`,
  })
  const theirs = spawnSync(upstream, ['/dev/drbd0'], { env: { PATH: `${folder}:${PATH}` } }).status
  const run: RunTool = (program, args, limits) => runDrbdTool(join(folder, program), args, limits)
  return [theirs, probeStatuses[(await probeDrbd('/dev/drbd0', { run })).outcome]]
}

t.test('upstream’s script, on the same tools: it has no way to answer 3, which its comment promises', async t => {
  const script = await realPart(t, () => {
    if (!existsSync(upstream)) throw new MissingRealPart(upstream, 'xen-utils-4.17')
    return upstream
  })
  if (script === undefined) return
  t.same(await asked(t, 'Connected', 'Primary/Secondary', 'D'), [0, 0])
  t.same(await asked(t, 'Connected', 'Primary/Secondary', 'D', '/dev/drbd9'), [1, 1])
  t.same(await asked(t, 'Connected', 'Primary/Secondary', 'C'), [1, 3])
  t.same(await asked(t, 'WFConnection', 'Primary/Unknown', 'D'), [4, 4])
  t.same(await asked(t, 'Connected', 'Secondary/Primary', 'D'), [4, 4])
})

t.test('what DRBD 9 wrote', async t => {
  const read = (show: string) =>
    probeDrbd('drbd:drbd1', { run: stand({ events: recorded('9-two-peers-events2'), show }) })
  t.match(await read(recorded('9-connecting-show')), {
    ...{ outcome: 'not-protocol-d', device: '/dev/drbd1', protocol: 'C', connection: 'Connected' },
    ...{ roles: ['Secondary', 'Primary'], disks: ['UpToDate', 'UpToDate'] },
  })
  // no DRBD 9 has it; if one had, two peers were one too many
  t.match(await read(show('D')), { outcome: 'not-ready', why: /has 2 peers/ })
})

for (const [state, target, outcome] of [
  ['unconfigured', 'drbd:r0', 'not-drbd'],
  ['alone', 'drbd:r0', 'not-protocol-d'],
  ['secondary', '/dev/drbd0', 'not-protocol-d'],
  ['primary', '/dev/drbd0', 'not-protocol-d'],
  ['disconnected', '/dev/drbd0', 'not-ready'],
] as const)
  t.test(`what DRBD 8.4 wrote, ${state}: ${outcome}`, async t => {
    const machine = { events: recorded(`8.4-${state}-events2`), show: recorded(`8.4-${state}-show`) }
    const found = await probeDrbd(target, { run: stand(machine) })
    t.equal(found.outcome, outcome)
  })
