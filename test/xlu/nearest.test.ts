import t from 'tap'
import { nearest } from '#xenlight/xlu/nearest.js'

const keys = ['format', 'vdev', 'colo-host', 'colo-port', 'backendtype', 'grant_usage']
const cases: [string, string | undefined][] = [
  ['fromat', 'format'],
  ['VDEV', 'vdev'],
  ['colo_host', 'colo-host'],
  ['grant-usage', 'grant_usage'],
  ['backendtyp', 'backendtype'],
  ['bus', undefined],
  ['', undefined],
  ['x'.repeat(1_000_000), undefined],
]
for (const [word, expected] of cases) {
  t.test(`${word.slice(0, 20)} is most like ${expected}`, async t => {
    t.equal(nearest(word, keys), expected)
  })
}
