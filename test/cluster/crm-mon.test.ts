import t from 'tap'
import { readMembership } from '#xenlight/cluster/crm-mon.js'

/** As Pacemaker 2.1.5 wrote it. */
const xml = `<pacemaker-result api-version="2.25" request="crm_mon --output-as=xml -1">
  <nodes>
    <node name="anna" id="1" online="true" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" health="green" feature_set="3.16.1" shutdown="false" expected_up="true" is_dc="true" resources_running="1" type="member"/>
    <node name="berta" id="2" online="false" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="true" health="green" feature_set="3.16.1" shutdown="false" expected_up="true" is_dc="false" resources_running="0" type="member"/>
    <node name="carla" id="3" online="false" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" health="green" feature_set="3.16.1" shutdown="false" expected_up="false" is_dc="false" resources_running="0" type="member"/>
  </nodes>
  <resources><resource id="web"><node name="anna" id="1" cached="true"/></resource></resources>
</pacemaker-result>`

for (const [node, membership] of [
  ['anna', 'member'],
  ['berta', 'unclean'],
  ['carla', 'down'],
  ['dora', 'unknown'],
  ['', 'unknown'],
] as const)
  t.equal(readMembership(xml, node), membership, node)
t.equal(readMembership('', 'anna'), 'unknown')
// what does not say that it is clean is not
t.equal(readMembership('<node name="anna" online="true"/>', 'anna'), 'unclean')
