import t from 'tap'
import type { DiskRecord } from 'xenlight/colo'
import { planSync } from '#xenlight/colo/copy/sync-plan.js'
import { bitmap, imageNode, recordOf } from './sights.js'

type Bitmaps = readonly (string | ReturnType<typeof bitmap>)[]
const since = (epoch: number, record = recordOf('outdated')): DiskRecord => ({ ...record, since: `colo-${epoch}` })
const plan = (source: Bitmaps, target: Bitmaps, record?: DiskRecord, equal?: boolean) =>
  planSync({ image: imageNode(...source) }, { image: imageNode(...target), record }, equal)

const off = bitmap('colo-1', { recording: false })
const broken = bitmap('colo-1', { inconsistent: true })

t.test('only what changed is copied where both know it since one checkpoint', async t => {
  const changes: [source: Bitmaps, target: Bitmaps, record: DiskRecord | undefined, since: number, also: string][] = [
    [['colo-1'], [], since(1), 1, 'nothing'],
    [['colo-1'], ['colo-1'], since(1), 1, 'nothing'],
    [['colo-1'], ['colo-1'], recordOf('alone'), 1, 'what the secondary wrote'],
    [['colo-1'], ['colo-1'], undefined, 1, 'what the secondary wrote'],
    [['colo-1'], ['colo-1'], since(2), 1, 'what the secondary wrote'],
    [['colo-3', 'colo-7', 'colo-5'], ['colo-3', 'colo-5'], undefined, 5, 'what the secondary wrote'],
    [['colo-3', 'colo-7'], ['colo-3'], since(7), 7, 'nothing'],
    [['colo-2', off], ['colo-1', 'colo-2'], undefined, 2, 'what the secondary wrote'],
    [['colo-0', broken], ['colo-1'], since(0), 0, 'nothing'],
    [['colo-9', 'colo-10'], ['colo-9', 'colo-10'], undefined, 10, 'what the secondary wrote'],
  ]
  for (const [source, target, record, since, also] of changes) {
    const found = plan(source, target, record)
    t.match(found, { kind: 'changes', since, also, why: new RegExp(`epoch ${since}\\b`) })
    t.strictSame(plan(source, target, record, true), found, 'whatever the caller says')
  }
})

t.test('all is copied for a reason', async t => {
  const full: [source: Bitmaps, target: Bitmaps, record: DiskRecord | undefined, why: RegExp][] = [
    [[], [], undefined, /^nothing is known of the secondary/],
    [['colo-1'], [], undefined, /^nothing is known of the secondary/],
    [[], ['colo-1'], undefined, /primary wrote .* has no dirty bitmap/],
    [[], [], since(1), /primary wrote .* has no dirty bitmap/],
    [['mine', 'colo-1-copy'], [], since(1), /primary wrote .* has no dirty bitmap/],
    [[broken], [], since(1), /primary wrote .* is inconsistent/],
    [[broken], ['colo-1'], undefined, /primary wrote .* is inconsistent/],
    [[off], [], since(1), /primary wrote .* was switched off/],
    [['colo-1'], [broken], undefined, /secondary wrote .* is inconsistent/],
    [['colo-1'], [off], undefined, /secondary wrote .* started anew or killed/],
    [['colo-1'], [], recordOf('syncing'), /earlier copy .* was not finished/],
    [['colo-1'], [], recordOf('alone'), /secondary wrote .* started anew or killed/],
    [['colo-1'], [], since(2), /secondary wrote .* started anew or killed/],
    [['colo-1'], ['colo-2'], undefined, /secondary wrote .* started anew or killed/],
  ]
  for (const [source, target, record, why] of full) t.match(plan(source, target, record), { kind: 'full', why })
})

t.test("the caller's word counts where nothing is known", async t => {
  const none = { kind: 'none', why: /caller says/ }
  t.match(plan([], [], undefined, true), none)
  t.match(plan(['mine'], ['colo-1-copy'], undefined, true), none, 'bitmaps of others')
  const known: [source: Bitmaps, target: Bitmaps, record?: DiskRecord][] = [
    [['colo-1'], []],
    [[broken], []],
    [[off], []],
    [[], ['colo-1']],
    [[], [broken]],
    [[], [], recordOf('alone')],
    [[], [], since(1)],
    [[], [], recordOf('syncing')],
  ]
  for (const [source, target, record] of known) t.match(plan(source, target, record, true), { kind: 'full' })
  t.match(plan([], []), { kind: 'full' }, 'nothing is said')
})
