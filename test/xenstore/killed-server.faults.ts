import t from 'tap'
import { killServers } from './kill-servers.js'

killServers(t, { xenstored: 500, oxenstored: 100 })
