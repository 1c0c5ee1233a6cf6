#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may reach what: tenants, services, permissions; deny by default, with a reason that is counted and
# that `explain` gives before the packet is sent.
. "$(dirname "$0")/lib.sh"

topo_two
start_routers '
	.authority.tenant = [{name: "staff"}, {name: "guest.staff"}, {name: "iot"}]
	| .authority.service += [
		{name: "web", address: ["10.2.0.2/32"], transport: [{protocol: "tcp", "port-range": [{"start-port": 80}]}],
			"access-policy": [{source: "iot"}, {source: "staff@10.1.0.3/32", permission: "deny"}, {source: "staff"}]},
		{name: "quiet", address: ["10.9.0.0/24"]},
		{name: "off", enabled: false, address: ["10.8.0.0/24"], "access-policy": [{source: "staff"}]}
	]
	| if .router.name == "r1" then .router."service-route" += [{name: "web", "service-name": "web", peer: "r2"}]
	  else .router."service-route" += [{name: "web", "service-name": "web", "next-hop": {interface: "lan0"}}] end
' || exit 1
serve_web s
add_addr c eth0 10.1.0.3/24

ok "staff reaches the web server" in_ns c curl -sSm3 -o /dev/null http://10.2.0.2/
is "by the service with the port" "$(ctl r1 -j show sessions | jq -r '.sessions[0].service')" web
no "but not from the address that is denied" in_ns c curl -sSm1 --interface 10.1.0.3 http://10.2.0.2/
cmp_num "counted" "$(drops r1 access-denied)" -ge 1
no "explain says no, too" ctl r1 explain lan0 tcp 10.1.0.3:4000 10.2.0.2:80
ok "and yes for the other" ctl r1 explain lan0 tcp 10.1.0.2:4000 10.2.0.2:80
is "explain names the service" "$(ctl r1 -j explain lan0 tcp 10.1.0.2:4000 10.2.0.2:80 | jq -r .service)" web
ok "another port is the wider service's" in_ns c ping -c1 -W1 10.2.0.2

no "a service without permission" in_ns c ping -c1 -W1 10.9.0.1
no "a service that is off" in_ns c ping -c1 -W1 10.8.0.1
no "no service" in_ns c ping -c1 -W1 192.0.2.1
cmp_num "unknown destinations are counted" "$(drops r1 no-service)" -ge 2
is "explain: no service" "$(ctl r1 -j explain lan0 icmp 10.1.0.2 192.0.2.1 | jq -r .reason)" no-service

# Nothing of it reaches the WAN.
is "r2 saw none of it" "$(ctl r2 -j show drops | jq -c '.drops')" "[]"

# Remembered for a moment: a stubborn host costs the agent one packet, not all.
before=$(ctl r1 -j show stats | jq '[.stats[] | select(.name == "punt-new-session").count] | add // 0')
in_ns c "$TOP/test/tools/frames.py" send eth0 --src 10.1.0.2 --dst 192.0.2.9 --count 500 --gap 0.001 \
	--dmac "$(mac_of r1 lan0)"
after=$(ctl r1 -j show stats | jq '[.stats[] | select(.name == "punt-new-session").count] | add // 0')
cmp_num "packets to the agent, of 500" $((after - before)) -lt 20
cmp_num "all counted as dropped" "$(drops r1 no-service)" -ge 500

# A new configuration counts at once, for sessions that exist as well.
in_ns c "$TOP/test/tools/udp_echo.py" --ask 10.2.0.2 9 --timeout 0.1 >/dev/null
ok "a session" test "$(ctl r1 -j show sessions | jq '[.sessions[] | select(.service == "datacenter")] | length')" -gt 0
change_config r1 '(.authority.service[] | select(.name == "datacenter"))."access-policy" = []'
ok "permission withdrawn" ctl r1 config apply "$WORK/r1.json"
is "its sessions are gone" "$(ctl r1 -j show sessions | jq '[.sessions[] | select(.service == "datacenter")] | length')" 0
no "no new ones" in_ns c ping -c1 -W1 10.2.0.2
finish
