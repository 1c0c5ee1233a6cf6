# SPDX-License-Identifier: Apache-2.0
# Configuration of r1 or r2 of topo_two (lib.sh). In: $router, $mode.
def hosts: { r1: "10.1.0", r2: "10.2.0" };
def other: if $router == "r1" then "r2" else "r1" end;
def me: if $router == "r1" then 1 else 2 end;
def net6: "2001:db8:" + (me | tostring) + "::";

def service($name; $address): {
	name: $name,
	address: $address,
	"access-policy": [{ source: "staff" }],
	"service-policy": "both"
};

def wan($n; $subnet): {
	name: "wan\($n)",
	ifname: "wan\($n)",
	mode: $mode,
	"network-interface": [{
		name: "wan\($n)",
		type: "fabric",
		address: ["\($subnet).\(me)"],
		"inter-router-security": "fabric",
		adjacency: [{
			"ip-address": "\($subnet).\(3 - me)",
			peer: other,
			vector: ["wan\($n)"]
		}]
	}]
};

{
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
			service("branch"; ["10.1.0.0/24", "2001:db8:1::/64"]),
			service("datacenter"; ["10.2.0.0/24", "2001:db8:2::/64"])
		],
		"service-policy": [{ name: "both", vector: [{ name: "wan1" }, { name: "wan2" }] }],
		router: [{ name: "r1" }, { name: "r2" }]
	},
	router: {
		name: $router,
		"service-route": [
			{
				name: "out",
				"service-name": (if $router == "r1" then "datacenter" else "branch" end),
				peer: other
			},
			{
				name: "in",
				"service-name": (if $router == "r1" then "branch" else "datacenter" end),
				"next-hop": { interface: "lan0" }
			}
		],
		"device-interface": [
			{
				name: "lan0",
				ifname: "lan0",
				mode: $mode,
				"network-interface": [{ name: "lan0", tenant: "staff" }]
			},
			wan(1; "198.51.100"),
			wan(2; "203.0.113")
		]
	}
}
