import { test } from 'tap'
import { runInDom0, withoutXen } from './run-in-dom0.js'

test('DRBD 8.4 in dom0 of a real Xen, its probe and its checkpoint kind', { skip: withoutXen, timeout: 1_300_000 }, t =>
  runInDom0(t, 'drbd.js', 1200),
)
