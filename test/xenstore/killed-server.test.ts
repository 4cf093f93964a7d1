import t from 'tap'
import { killServers } from './kill-servers.js'

killServers(t, { xenstored: 80, oxenstored: 20 })
