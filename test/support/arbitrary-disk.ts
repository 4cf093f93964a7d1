import fc from 'fast-check'
import { type DeviceDisk, DiskBackend, DiskFormat, DiskSpecification, DiskTransport } from 'xenlight'

const piece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  // bytes that are not UTF-8
  fc.integer({ min: 0xdc80, max: 0xdcff }).map(code => String.fromCharCode(code)),
  fc.constantFrom('"', '\\', '/', ',', ':', '\n', '\u001b', '\u007f', '(null)', '__proto__'),
)

/** A text that a C string can hold. */
const cText = fc.array(piece, { maxLength: 4 }).map(pieces => pieces.join('').replaceAll('\0', ''))

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const uint32 = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffffffff }))

/** Any record that the schema allows. */
export const anyDisk: fc.Arbitrary<DeviceDisk> = fc.record(
  {
    backendDomid: uint32,
    backendDomname: maybe(cText),
    pdevPath: maybe(cText),
    vdev: maybe(cText),
    backend: fc.constantFrom(...DiskBackend.options),
    format: fc.constantFrom(...DiskFormat.options),
    script: maybe(cText),
    removable: fc.boolean(),
    readwrite: fc.boolean(),
    isCdrom: fc.boolean(),
    directIoSafe: fc.boolean(),
    discardEnable: maybe(fc.boolean()),
    specification: fc.constantFrom(...DiskSpecification.options),
    transport: fc.constantFrom(...DiskTransport.options),
    irq: uint32,
    base: fc.oneof(fc.constant(0), fc.maxSafeNat()),
    coloEnable: maybe(fc.boolean()),
    coloRestoreEnable: maybe(fc.boolean()),
    coloHost: maybe(cText),
    coloPort: fc.oneof(fc.constant(0), fc.integer()),
    coloExport: maybe(cText),
    activeDisk: maybe(cText),
    hiddenDisk: maybe(cText),
    trusted: maybe(fc.boolean()),
    grantUsage: maybe(fc.boolean()),
  },
  { noNullPrototype: true },
)
