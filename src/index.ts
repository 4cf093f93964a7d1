export type { DiskTarget } from './libxl/choose-backend.js'
export { DeviceDisk, DiskBackend, DiskFormat, DiskSpecification, DiskTransport } from './libxl/device-disk.js'
export { diskFromNodes, type FromNodesOptions } from './libxl/disk-from-nodes.js'
export { DiskJsonError } from './libxl/disk-json-error.js'
export { diskToNodes, type NodesContext, type XenstoreNode } from './libxl/disk-to-nodes.js'
export { fromLibxlJson } from './libxl/from-libxl-json.js'
export { LibxlError, type LibxlErrorCode, type LibxlRc } from './libxl/libxl-error.js'
export { type DiskContext, type ResolveContext, resolveDisk } from './libxl/resolve-disk.js'
export { resolveDiskOnHost } from './libxl/resolve-disk-on-host.js'
export type { DomainType, ResolvedDisk } from './libxl/resolved-disk.js'
export { addDisk } from './libxl/store/add-disk.js'
export { type AddDiskOptions, type AttachedDisk, type AttachTimeouts, addDisks } from './libxl/store/add-disks.js'
export type { DiskDevice } from './libxl/store/disk-device.js'
export type { DiskEvent } from './libxl/store/disk-event.js'
export { type DiskEventsOptions, diskEvents } from './libxl/store/disk-events.js'
export type { DiskHost, ScriptCall, ScriptOutcome } from './libxl/store/disk-host.js'
export { getDisk, type ReadDiskOptions } from './libxl/store/get-disk.js'
export { type ListedDisk, listDisks } from './libxl/store/list-disks.js'
export { nodeHost } from './libxl/store/node-host.js'
export type { RemovedDevice, RemoveTimeouts } from './libxl/store/remove-device.js'
export { type RemoveDiskOptions, type RemovedDisk, removeDisk } from './libxl/store/remove-disk.js'
export { toLibxlJson } from './libxl/to-libxl-json.js'
export type { DomainIdentity, LockedUserdata, LockUserdata } from './libxl/userdata/domain-userdata.js'
export type { LockOptions } from './libxl/userdata/flock.js'
export { formatVdev, parseVdev, type Vdev } from './libxl/vdev.js'
export { type Config, type ConfigDiskSpec, ConfigValueError } from './xlu/config.js'
export {
  type ConfigDisk,
  type ConfigDisksOptions,
  type ConfigDisksResult,
  parseConfigDisks,
} from './xlu/config-disks.js'
export type { ConfigPlace } from './xlu/config-place.js'
export type { ConfigItem } from './xlu/config-value.js'
export type { Diagnostic, Note, Span } from './xlu/diagnostic.js'
export { DiskSpecError } from './xlu/disk-spec-error.js'
export { type FormatDiagnosticOptions, formatDiagnostic } from './xlu/format-diagnostic.js'
export { DiskFormatError, formatDisk } from './xlu/format-disk.js'
export type { TextPosition } from './xlu/line-index.js'
export {
  ConfigSyntaxError,
  type ParseConfigOptions,
  type ParseConfigResult,
  parseConfig,
  safeParseConfig,
} from './xlu/parse-config.js'
export { type ParseDiskOptions, parseDisk, type SafeParseDiskResult, safeParseDisk } from './xlu/parse-disk.js'
