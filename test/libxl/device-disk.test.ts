import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { DeviceDisk } from 'xenlight'
import { blankDisk } from '#xenlight/libxl/blank-disk.js'
import { anyDisk } from '../support/arbitrary-disk.js'
import { holds } from '../support/holds.js'

t.test('the schema takes every record and gives it back', t => {
  holds(
    t,
    fc.property(anyDisk, disk => assert.deepEqual(DeviceDisk.parse(disk), { ...disk })),
  )
  t.strictSame(DeviceDisk.parse(blankDisk()), blankDisk())
  t.end()
})

t.test('the schema refuses what libxl cannot hold', t => {
  const odd: object[] = [
    { vdev: 'a\0b' },
    { vdev: null },
    { format: 'RAW' },
    { backendDomid: -1 },
    { irq: 2 ** 32 },
    { base: 2 ** 53 },
    { coloPort: 2 ** 31 },
    { coloPort: 1.5 },
    { readwrite: 1 },
    { trusted: 'True' },
  ]
  for (const fields of odd) t.notOk(DeviceDisk.safeParse({ ...blankDisk(), ...fields }).success, JSON.stringify(fields))
  t.end()
})

t.test('the package has the schema as JSON Schema', t => {
  const file = fileURLToPath(import.meta.resolve('xenlight/device-disk.schema.json'))
  const schema = JSON.parse(readFileSync(file, 'utf8'))
  t.strictSame(Object.keys(schema.properties), Object.keys(blankDisk()))
  for (const [key, { description }] of Object.entries<{ description?: string }>(schema.properties)) {
    t.type(description, 'string', key)
  }
  t.strictSame(schema.properties.irq.maximum, 0xffffffff)
  t.equal(schema.properties.vdev.pattern, '^[^\\u0000]*$')
  t.match(schema, { $id: 'urn:xenlight:device-disk', title: 'DeviceDisk' })
  t.end()
})
