import t from 'tap'
import { runGuests } from './run-guests.js'

t.test('a guest whose primary is lost', t => runGuests(t, 3))
