import t from 'tap'
import { type ColoStatus, dataWorths } from '#xenlight/cluster/colo-status.js'
import { coloText } from '#xenlight/cluster/colo-text.js'
import { coloView } from '#xenlight/cluster/colo-view.js'

const secondary: ColoStatus = {
  ...{ role: 'secondary', isRunning: false, pair: 'none', data: 'checkpoint', promotion: 1001, fencedBy: undefined },
  ...{ isSplit: false, failure: undefined, checkpoints: 0, why: '' },
}
const primary: ColoStatus = { ...secondary, role: 'primary', isRunning: true, pair: 'protected', data: 'whole' }

const scored: [string, ColoStatus, string, number | undefined][] = [
  ['protected', primary, 'promoted', 10_000],
  ['alone', { ...primary, pair: 'alone' }, 'degraded-promoted', 10_000],
  ['it asks the cluster', { ...primary, pair: 'asking', isRunning: false }, 'degraded-promoted', 10_000],
  ['its disk fails', { ...primary, failure: 'a write' }, 'failed-promoted', undefined],
  ['fenced', { ...primary, fencedBy: 2002 }, 'failed-promoted', undefined],
  ['its QEMU hangs', { ...secondary, failure: 'no answer' }, 'failed', undefined],
  ['split brain', { ...secondary, isSplit: true }, 'running', undefined],
  ...dataWorths.map((data): [string, ColoStatus, string, number | undefined] => [
    data,
    { ...secondary, data },
    'running',
    { checkpoint: 1000, whole: 100, new: undefined, outdated: undefined, unknown: undefined, half: undefined }[data],
  ]),
]
for (const [what, status, monitor, score] of scored)
  t.strictSame(coloView(status), { monitor, score, promotion: 1001 }, what)

t.equal(coloText(primary), 'primary, protected; promotion 1001')
t.match(
  coloText({ ...secondary, fencedBy: 2, isSplit: true, failure: 'a\nb', why: 'c' }),
  /FENCED.*SPLIT.*FAILED: a␊b; c$/,
)
