import t from 'tap'
import { runGuests } from './run-guests.js'

t.test('guests whose primary is lost', t => runGuests(t, 100))
