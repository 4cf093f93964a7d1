export { DeviceDisk, DiskBackend, DiskFormat, DiskSpecification, DiskTransport } from './libxl/device-disk.js'
export { LibxlError, type LibxlErrorCode, type LibxlRc } from './libxl/libxl-error.js'
export { toLibxlJson } from './libxl/to-libxl-json.js'
export { formatVdev, parseVdev, type Vdev } from './libxl/vdev.js'
