import { test } from 'tap'
import { runInDom0, withoutXen } from './run-in-dom0.js'

test('xl and Node attach and detach disks of one guest', { skip: withoutXen, timeout: 2_400_000 }, t =>
  runInDom0(t, 'beside-xl.js', 2300),
)
