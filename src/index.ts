export { DeviceDisk, DiskBackend, DiskFormat, DiskSpecification, DiskTransport } from './libxl/device-disk.js'
export { LibxlError, type LibxlErrorCode, type LibxlRc } from './libxl/libxl-error.js'
export { Config, type ConfigDiskSpec, ConfigValueError } from './xlu/config.js'
export type { ConfigPlace } from './xlu/config-place.js'
export type { ConfigItem } from './xlu/config-value.js'
export type { Diagnostic } from './xlu/diagnostic.js'
export type { TextPosition } from './xlu/line-index.js'
export {
  ConfigSyntaxError,
  type ParseConfigOptions,
  type ParseConfigResult,
  parseConfig,
  safeParseConfig,
} from './xlu/parse-config.js'
