# SPDX-License-Identifier: Apache-2.0
# Configuration of r1, r2 (the middle) or r3 of topo_three (lib.sh). In: $router, $mode.
def wan($name; $local; $remote; $peer): {
	name: $name,
	ifname: $name,
	mode: $mode,
	"network-interface": [{
		name: $name,
		type: "fabric",
		address: [$local],
		"inter-router-security": "fabric",
		adjacency: [{ "ip-address": $remote, peer: $peer }]
	}]
};

def lan: {
	name: "lan0",
	ifname: "lan0",
	mode: $mode,
	"network-interface": [{ name: "lan0", tenant: "staff" }]
};

def to_peer($service; $peer): { name: "to-\($peer)", "service-name": $service, peer: $peer };
def to_lan($service): {
	name: "in",
	"service-name": $service,
	"next-hop": { interface: "lan0" }
};

{
	r1: {
		"service-route": [to_peer("datacenter"; "r2"), to_lan("branch")],
		"device-interface": [lan, wan("wan1"; "198.51.100.1"; "198.51.100.2"; "r2")]
	},
	r2: {
		"service-route": [to_peer("datacenter"; "r3"), to_peer("branch"; "r1")],
		"device-interface": [
			wan("wan1"; "198.51.100.2"; "198.51.100.1"; "r1"),
			wan("wan2"; "203.0.113.1"; "203.0.113.2"; "r3")
		]
	},
	r3: {
		"service-route": [to_peer("branch"; "r2"), to_lan("datacenter")],
		"device-interface": [lan, wan("wan2"; "203.0.113.2"; "203.0.113.1"; "r2")]
	}
}[$router] as $own | {
	authority: {
		name: "test",
		bfd: { "hold-down-time": 1 },
		security: [{
			name: "fabric",
			key: [{
				"security-id": 1,
				"hmac-key": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
				"encryption-key": "000102030405060708090a0b0c0d0e0f"
			}]
		}],
		tenant: [{ name: "staff" }],
		service: [
			{
				name: "branch",
				address: ["10.1.0.0/24", "2001:db8:1::/64"],
				"access-policy": [{ source: "staff" }]
			},
			{
				name: "datacenter",
				address: ["10.2.0.0/24", "2001:db8:2::/64"],
				"access-policy": [{ source: "staff" }]
			}
		],
		router: [{ name: "r1" }, { name: "r2" }, { name: "r3" }]
	},
	router: ($own + { name: $router })
}
