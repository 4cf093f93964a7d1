import { test } from 'tap'
import { runInDom0, withoutXen } from './run-in-dom0.js'

test('Node in dom0 of a real Xen attaches disks to a running guest', { skip: withoutXen, timeout: 2_400_000 }, t =>
  runInDom0(t, 'in-dom0.js', 1800),
)
