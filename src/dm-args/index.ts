export { buildDiskArgs, type DiskArgs } from './build-disk-args.js'
export type { Dialect } from './dialect.js'
export type { DeviceModelOptions, DiskArgsOptions } from './disk-args-options.js'
export { buildQdiskBackendArgs, type QdiskBackendOptions } from './qdisk-backend.js'
