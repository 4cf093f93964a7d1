import fc from 'fast-check'
import t from 'tap'
import { readAgentConfig } from '#xenlight/replication/config/agent-config.js'
import { ConfigError } from '#xenlight/replication/config/config-error.js'
import { readHubConfig } from '#xenlight/replication/config/hub-config.js'
import { channelsAtMost } from '#xenlight/replication/wire/message.js'

const agent = `name: anna
hub: hub.example:7900
state: /var/lib/repagent
run: /run/repagent
groups:
  web:
    disks:
      root: { image: /srv/web.img }
      data: { image: /srv/data.qcow2, format: qcow2, socket: /run/data.sock }
  db:
    way: cycles
    qmp: /run/db.qmp
    every: 500ms
    disks:
      root: { node: disk0 }
`

t.test('an agent is told all it needs in a few lines', t => {
  t.strictSame(readAgentConfig(agent, 'agent.yaml'), {
    name: 'anna',
    hub: { host: 'hub.example', port: 7900 },
    state: '/var/lib/repagent',
    run: '/run/repagent',
    buffer: { memory: 64 * 1024 ** 2, file: 1024 ** 3 },
    target: 5000,
    groups: {
      web: {
        way: 'inline',
        hubMay: ['control', 'fail-back'],
        disks: {
          root: { image: '/srv/web.img', format: 'raw' },
          data: { image: '/srv/data.qcow2', format: 'qcow2', socket: '/run/data.sock' },
        },
      },
      db: {
        way: 'cycles',
        hubMay: ['control', 'fail-back'],
        qmp: '/run/db.qmp',
        every: 500,
        deadline: 3000,
        disks: { root: { node: 'disk0' } },
      },
    },
  })
  t.end()
})

t.test('a hub needs its folder, and has a default for the rest', t => {
  const config = readHubConfig(
    'data: /srv/hub\njournal: { size: 2G }\ngroups: { web: { agents: [anna], history: 7d } }',
    'h',
  )
  t.match(config, {
    data: '/srv/hub',
    journal: { size: 2 * 1024 ** 3, history: 86_400_000 },
    groups: { web: { agents: ['anna'], history: 7 * 86_400_000 } },
    limits: { groups: 1000, branches: 4, checkpoints: 2000 },
  })
  t.match(readHubConfig('{"data": "/srv/hub"}', 'h.json'), { data: '/srv/hub' }, 'JSON is YAML')
  t.end()
})

t.test('an agent may be told of several hubs', async t => {
  const hubsOf = (hub: string) => readAgentConfig(agent.replace('hub.example:7900', hub), 'agent.yaml').hub
  const both = [{ host: 'a', port: 1 }, { path: '/run/b' }]
  t.strictSame(hubsOf('a:1,/run/b'), both)
  t.strictSame(hubsOf('[a:1, /run/b]'), both)
  t.strictSame(hubsOf('/run/a,b.sock'), { path: '/run/a,b.sock' }, 'a path may have a comma')
  t.strictSame(hubsOf("'[::1]:2,[fe80::1%eth0]:3'"), [
    { host: '::1', port: 2 },
    { host: 'fe80::1%eth0', port: 3 },
  ])
  const many = Array.from({ length: 17 }, (_, index) => `h:${index + 1}`)
  for (const wrong of [many.join(','), `[${many.join(', ')}]`, '[]', '7', '[7]', 'a:1,b:99999'])
    t.throws(() => hubsOf(wrong), { code: 'bad-config', message: /^agent\.yaml:2:6: hub: / }, wrong)
})

t.test('a hub may serve under a lease', async t => {
  const leaseOf = (lease: string) => readHubConfig(`data: /d\nlease: ${lease}\n`, 'hub.yaml').lease
  t.strictSame(leaseOf('{ name: copies, etcd: [http://a:2379, "http://[::1]:2379"] }'), {
    name: 'copies',
    etcd: ['http://a:2379', 'http://[::1]:2379'],
    ttl: 10_000,
  })
  t.match(leaseOf('{ name: c, etcd: [https://a], tls: /t, ttl: 4s }'), { tls: '/t', ttl: 4000 })
  for (const [lease, message] of [
    ['{ etcd: [http://a] }', 'lease.name is missing'],
    ['{ name: ../x, etcd: [http://a] }', 'lease.name: a name of up to 100'],
    ['{ name: c, etcd: [] }', 'lease.etcd: '],
    ['{ name: c, etcd: [ftp://a] }', "lease.etcd.0: a member's http://HOST:PORT"],
    ['{ name: c, etcd: [http://u:p@a] }', "lease.etcd.0: a member's http://HOST:PORT"],
    ['{ name: c, etcd: [https://a] }', 'lease.etcd.0: https://a needs tls'],
    ['{ name: c, etcd: [http://a], tls: /t }', 'lease.etcd.0: tls is for https'],
    ['{ name: c, etcd: [http://a], ttl: 1s }', 'lease.ttl: a time from 2s to 60m'],
  ] as const) {
    const error = t.throws(() => leaseOf(lease), { code: 'bad-config' }, lease)
    t.ok(String((error as { message?: string }).message).includes(message), `${lease}: ${(error as Error).message}`)
  }
})

const wrong: [name: string, text: string, message: string][] = [
  ['a key that there is not', agent.replace('state:', 'sate:'), "agent.yaml:3:1: the configuration has no 'sate'"],
  [
    'what is missing, where it should be',
    agent.replace('hub: hub.example:7900\n', ''),
    'agent.yaml:1:1: hub is missing',
  ],
  [
    'a port',
    agent.replace('7900', '79000'),
    "agent.yaml:2:6: hub: HOST:PORT or a socket's path, not 'hub.example:79000'",
  ],
  [
    'a time without its unit',
    agent.replace('500ms', '500'),
    "agent.yaml:13:12: groups.db.every: a time, such as 200ms, 5s, 12h or 7d, not '500'",
  ],
  ['no time at all', agent.replace('500ms', '0'), 'agent.yaml:13:12: groups.db.every: a time, such as 200ms'],
  ['a time of none', agent.replace('500ms', '0s'), 'agent.yaml:13:12: groups.db.every: a time, such as 200ms'],
  [
    'a time that is no text',
    agent.replace('500ms', '[1s]'),
    'agent.yaml:13:12: groups.db.every: a time, such as 200ms',
  ],
  [
    'a time between cycles that no timer knows',
    agent.replace('500ms', '25d'),
    'agent.yaml:13:12: groups.db.every: a time of at most 24d',
  ],
  ...['0', '0ms', '-1s', '1e9d', '.inf', '25d', '9999999d'].map((time): [string, string, string] => [
    `a deadline of ${time}`,
    agent.replace('every: 500ms', `deadline: ${time}`),
    'agent.yaml:13:15: groups.db.deadline: a time',
  ]),
  [
    "a running guest's group without disks",
    agent.replace('\n      root: { node: disk0 }', ' {}'),
    'agent.yaml:14:12: groups.db.disks: there is no disk to protect',
  ],
  [
    'a node that two disks have',
    `${agent}      data: { node: disk0 }\n`,
    "agent.yaml:16:21: groups.db.disks.data.node: 'disk0' is another disk already",
  ],
  [
    'more disks than a group has',
    `${agent}${Array.from({ length: 256 }, (_, index) => `      d${index}: { node: n${index} }\n`).join('')}`,
    'agent.yaml:271:13: groups.db.disks.d255: there are at most 256 disks of a group',
  ],
  [
    'more groups than a hub takes of an agent',
    `${agent}${Array.from({ length: 1023 }, (_, index) => `  g${index}: { disks: { root: { image: /x } } }\n`).join('')}`,
    'agent.yaml:1038:10: groups.g1022: there are at most 1024 groups of an agent',
  ],
  [
    'an own word for a time',
    agent.replace('500ms', 'soon'),
    "agent.yaml:13:12: groups.db.every: a time, such as 200ms, 5s, 12h or 7d, not 'soon'",
  ],
  ['a way', agent.replace('cycles', 'magic'), 'agent.yaml:11:10: groups.db.way'],
  [
    "a disk's name",
    agent.replace('root: { image', '../x: { image'),
    'agent.yaml:8:7: groups.web.disks.../x is a name of 1 to 64',
  ],
  [
    'a disk of another way',
    agent.replace('{ node: disk0 }', '{ image: /x }'),
    'agent.yaml:15:13: groups.db.disks.root.node is missing',
  ],
  [
    'a socket that is too long',
    agent.replace('/run/db.qmp', `/${'x'.repeat(120)}`),
    "agent.yaml:12:10: groups.db.qmp: a socket's path",
  ],
  ['what is no YAML', 'name: [anna', 'agent.yaml:1:12: '],
  ['a key twice', `${agent}name: berta\n`, 'agent.yaml:16:1: Map keys must be unique'],
  ['nothing', '', 'agent.yaml:1:1: name is missing'],
]

t.test('where metrics are: a port alone is one of this machine for itself', t => {
  for (const [given, wanted] of [
    ['9870', { host: '127.0.0.1', port: 9870 }],
    ['"9870"', { host: '127.0.0.1', port: 9870 }],
    ['hub.example:9870', { host: 'hub.example', port: 9870 }],
    ['"[::]:9870"', { host: '::', port: 9870 }],
    ['/run/m', { path: '/run/m' }],
  ] as const) {
    t.strictSame(readHubConfig(`data: /d\nmetrics: ${given}\n`, 'h').metrics, wanted, given)
    t.strictSame(readAgentConfig(`${agent}\nmetrics: ${given}\n`, 'a').metrics, wanted, given)
  }
  t.equal(readHubConfig('data: /d\n', 'h').metrics, undefined)
  for (const given of ['0', '70000', ':9870', 'true', '[1]', '""', '-1', '1.5'])
    t.throws(() => readHubConfig(`data: /d\nmetrics: ${given}\n`, 'h'), { message: /^h:2:\d+: metrics: / }, given)
  t.end()
})

t.test('a page for browsers', t => {
  const read = (page: string) => readHubConfig(`data: /d\npage: ${page}\n`, 'h').page
  t.strictSame(read('{ address: 9874, token: /t }'), {
    ...{ address: { host: '127.0.0.1', port: 9874 }, token: '/t', control: false, target: 5000 },
  })
  t.match(read('{ address: /p, token: /t, tls: /c, host: h, control: true, target: 1m }'), {
    ...{ address: { path: '/p' }, tls: '/c', host: 'h', control: true, target: 60_000 },
  })
  for (const given of ['9874', '{ address: 9874 }', '{ token: /t }', '{ address: 1, token: /t, control: 1 }'])
    t.throws(() => read(given), { message: /^h:2:\d+: page/ }, given)
  t.equal(readHubConfig('data: /d\n', 'h').page, undefined)
  t.end()
})

t.test('names that would need much memory are refused, for all groups and for one', t => {
  for (const config of ['limits: { checkpoints: N }', 'groups: { web: { checkpoints: N } }'])
    for (const count of [0, -1, 0.5, 10_001])
      t.throws(() => readHubConfig(`data: /d\n${config.replace('N', String(count))}`, 'h'), {
        code: 'bad-config',
        message: /^h:2:\d+: .*checkpoints: /,
      })
  t.match(readHubConfig('data: /d\ngroups: { web: { checkpoints: 10000 } }', 'h').groups, {
    web: { checkpoints: 10_000 },
  })
  t.end()
})

for (const [name, text, message] of wrong)
  t.test(`says where it is wrong: ${name}`, t => {
    try {
      readAgentConfig(text, 'agent.yaml')
      t.fail('it is taken')
    } catch (error) {
      t.ok(error instanceof ConfigError, String(error))
      const lines = (error as Error).message.split('\n')
      t.ok(
        lines.some(line => line.startsWith(message)),
        `${message} in\n${lines.join('\n')}`,
      )
    }
    t.end()
  })

t.test('as many groups as a hub takes of an agent, and times as long as a timer counts to', t => {
  const groups = Array.from({ length: channelsAtMost }, (_, index) => [`g${index}`, { disks: {} }])
  const config = { name: 'a', hub: '/h', state: '/s', run: '/r', groups: Object.fromEntries(groups) }
  t.equal(Object.keys(readAgentConfig(JSON.stringify(config), 'a').groups).length, 1024)
  const longest = agent.replace('every: 500ms', 'every: 24d\n    deadline: 1ms')
  t.match(readAgentConfig(longest, 'a').groups, { db: { every: 24 * 86_400_000, deadline: 1 } })
  t.end()
})

t.test('reports all that is wrong, up to a hundred', t => {
  const many = Array.from({ length: 300 }, (_, index) => `x${index}: 1`).join('\n')
  t.throws(() => readHubConfig(many, 'h'), { code: 'bad-config', problems: { length: 100 } })
  t.end()
})

t.test('no text does anything but be taken or be a ConfigError', t => {
  const pieces = [
    'name:',
    ' anna',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '!!js/function ',
    '"',
    "'",
    '? ',
    '<<: ',
    '\t',
    '0',
    ': ',
    '#',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), parts => {
      for (const read of [readAgentConfig, readHubConfig])
        try {
          read(parts.join(''), 'x')
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
        }
    }),
    { numRuns: 2000 },
  )
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (let depth = 1; depth < 9; depth++)
    bomb.push(
      `b${depth}: &b${depth} [${Array(9)
        .fill(depth === 1 ? '*a' : `*b${depth - 1}`)
        .join(',')}]`,
    )
  t.throws(() => readHubConfig(bomb.join('\n'), 'x'), { code: 'bad-config' })
  t.end()
})
