import t from 'tap'
import { endAlone, goOnAlone } from '#xenlight/cluster/pacemaker-arbiter.js'
import { PlayedManager } from './played-manager.js'

const question = { resource: 'web', node: 'anna', peers: ['berta'] }
const never = new AbortController().signal
const atOnce = AbortSignal.abort()

t.test('a node goes on alone when all know that it alone is to be promoted', async t => {
  const cluster = new PlayedManager()
  await goOnAlone(cluster, question, never)
  await goOnAlone(cluster, question, never)
  t.same(cluster.changes, ['only anna'])
  await endAlone(cluster, question)
  await endAlone(cluster, question)
  t.same(cluster.changes, ['only anna', 'only any'])
})

t.test('it does not without quorum', async t => {
  const cluster = new PlayedManager()
  cluster.quorum = false
  await t.rejects(goOnAlone(cluster, question, never), /quorum/)
  t.same(cluster.changes, [])
})

t.test('it does not where the other one did', async t => {
  const cluster = new PlayedManager()
  cluster.only = 'berta'
  await t.rejects(goOnAlone(cluster, question, never), /berta went on alone/)
  await endAlone(cluster, question)
  t.equal(cluster.only, 'berta', 'nor does it end that')
})

t.test('a peer that has gone without a word is waited for until it was fenced', async t => {
  const cluster = new PlayedManager()
  cluster.memberships = { berta: 'unclean' }
  await t.rejects(goOnAlone(cluster, question, atOnce), /berta has gone, and was not fenced/)
  t.same(cluster.changes, [], 'only one half would know it')
  const going = goOnAlone(cluster, question, never)
  cluster.memberships = { berta: 'down' }
  await going
  t.equal(cluster.only, 'anna')
})

t.test('a node that the cluster does not know', async t => {
  const cluster = new PlayedManager()
  cluster.memberships = { berta: 'unknown' }
  await t.rejects(goOnAlone(cluster, question, never), /no node berta/)
})

t.test('without fencing nothing is waited for', async t => {
  const cluster = new PlayedManager()
  cluster.fencing = false
  cluster.memberships = { berta: 'unclean' }
  await goOnAlone(cluster, question, never)
  t.equal(cluster.only, 'anna')
})
