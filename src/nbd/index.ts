export type { SocketAddress } from '../link/node/socket-address.js'
export type { BlockBackend, BlockExtent, ZeroOptions } from './block-backend.js'
export {
  NbdClient,
  type NbdClientOptions,
  type NbdWriteOptions,
  type NbdZeroOptions,
  openNbd,
} from './client/nbd-client.js'
export type { ExportInfo } from './client/options.js'
export { MemoryBackend } from './memory-backend.js'
export { NbdError, type NbdErrorCode } from './nbd-error.js'
export type { BlockSizes, NbdAsker, NbdExport, NbdExports } from './nbd-export.js'
export { formatNbdUrl, type NbdUrl, nbdPort, parseNbdUrl } from './nbd-url.js'
export { connectNbd, infoExport, listExports, type NbdClientTls, type NbdConnectOptions } from './node/connect-nbd.js'
export { type FileBackendOptions, openFileBackend } from './node/file-backend.js'
export { listenNbd, type NbdListener, type NbdListenOptions } from './node/listen-nbd.js'
export type { NbdServerTls } from './node/server-tls.js'
export { NbdServer, type NbdServerOptions, type Securing } from './server/nbd-server.js'
