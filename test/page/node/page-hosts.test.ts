import t from 'tap'
import { pageHosts } from '#xenlight/page/node/page-hosts.js'

t.test('addresses, this machine, and names that were given: no name of somebody else', t => {
  const isOurs = pageHosts({ host: 'hub.example', port: 1 }, ['Status.Example'])
  for (const host of ['127.0.0.1', '127.0.0.1:9800', '10.0.0.2:80', '[::1]', '[::1]:9800', 'localhost', 'LOCALHOST:1'])
    t.equal(isOurs(host), true, host)
  for (const host of ['hub.example', 'hub.example:9800', 'status.example:443']) t.equal(isOurs(host), true, host)
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'hub.example.', '', '[x]'])
    t.equal(isOurs(host), false, host)
  for (const host of ['a@localhost', 'localhost/', 'localhost:', 'localhost:123456', '1.2.3', '::1', ' localhost'])
    t.equal(isOurs(host), false, host)
  t.equal(isOurs(undefined), false)
  t.equal(pageHosts({ path: '/run/p' }, [])('localhost'), true)
  t.end()
})
