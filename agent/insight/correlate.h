/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which client of which site is a participant, and on which path did its packets travel, minute by
 * minute (zoom-api.md 10). Pure: it works on what the caller has gathered, and keeps nothing.
 */
#ifndef FL_AGENT_INSIGHT_CORRELATE_H
#define FL_AGENT_INSIGHT_CORRELATE_H

#include <stddef.h>

#include "agent/insight/types.h"

#define FL_MATCH_SLACK_S    120 /* how far apart the clocks and ends of session and join may be */
#define FL_MATCH_SESSIONS   8   /* of one participant: audio, video, share, signalling */
#define FL_JOIN_ADDRESSES   8
#define FL_SESSION_STEPS    16 /* moves from path to path that are remembered */
#define FL_SESSION_OPEN_END INT64_MAX

struct fl_site {
	char name[FL_SITE_NAME_LEN];
	const struct fl_prefix *lans;
	unsigned int lan_count;
	const struct fl_addr *wans; /* public addresses of its uplinks */
	unsigned int wan_count;
	const struct fl_prefix *tunnel_pools; /* addresses that VPN clients get */
	unsigned int tunnel_pool_count;
};

enum fl_session_app {
	FL_SESSION_OTHER,
	FL_SESSION_ZOOM,
	FL_SESSION_VPN,
};

/* From @since_s on, the session travelled on @path. */
struct fl_path_step {
	int64_t since_s;
	uint32_t path;
};

/* A session as the router recorded it. */
struct fl_session_record {
	uint8_t uuid[16];
	uint32_t site; /* index into the sites, or the store's number: the caller's choice */
	struct fl_addr client;
	struct fl_addr remote;
	struct fl_addr nat; /* public address that the client was given */
	uint16_t client_port;
	uint16_t remote_port;
	uint16_t nat_port;
	uint8_t proto;
	enum fl_session_app app; /* by the router's service; OTHER: look at the ports */
	struct fl_mac mac;
	char hostname[FL_HOSTNAME_LEN];
	int64_t start_s;
	int64_t end_s;  /* FL_SESSION_OPEN_END: still there */
	uint64_t bytes; /* both directions */
	struct fl_path_step steps[FL_SESSION_STEPS];
	unsigned int step_count;
};

/* What the router's ARP, ND and DHCP tables said. */
struct fl_neighbour_record {
	uint32_t site;
	struct fl_addr addr;
	struct fl_mac mac;
	char hostname[FL_HOSTNAME_LEN]; /* DHCP; "" unknown */
	int64_t from_s;
	int64_t to_s;
};

/* Everything that a match looks at, borrowed. */
struct fl_network {
	const struct fl_site *sites;
	unsigned int site_count;
	const struct fl_session_record *sessions; /* in the order of fl_sessions_sort() */
	size_t session_count;
	const struct fl_neighbour_record *neighbours;
	size_t neighbour_count;
};

/* What Zoom says of a participant's ends; family 0: masked, or not told. */
struct fl_join_ends {
	struct fl_addr public_addr;
	struct fl_addr internal[FL_JOIN_ADDRESSES];
	unsigned int internal_count;
	struct fl_mac mac;
	char pc_name[FL_HOSTNAME_LEN];
	int64_t join_s;
	int64_t leave_s; /* FL_SESSION_OPEN_END: still in */
	/* Of QSS only: ports that the client sends from, at internal[qss_addr]. */
	uint16_t qss_ports[4];
	unsigned int qss_port_count;
	unsigned int qss_addr;
};

enum fl_match_rule {
	FL_MATCH_NO_ADDRESS,  /* nothing to go by, e.g. a phone */
	FL_MATCH_OFF_NETWORK, /* no rule gives exactly one answer */
	FL_MATCH_QSS_PORTS,
	FL_MATCH_SESSION,     /* private address and a session to Zoom */
	FL_MATCH_VPN_SESSION, /* private address and its sessions, but Zoom sees it elsewhere */
	FL_MATCH_MAC,
	FL_MATCH_HOSTNAME,
	FL_MATCH_PUBLIC_ADDR, /* public address of one site, private address in its LANs */
};

struct fl_match {
	enum fl_match_rule rule;
	uint32_t site; /* of the sessions' numbering */
	struct fl_addr client;
	struct fl_mac mac;
	char hostname[FL_HOSTNAME_LEN];
	bool vpn; /* the call goes through a full tunnel */
	/* Sessions that carried it, most bytes first; borrowed from the network. */
	const struct fl_session_record *sessions[FL_MATCH_SESSIONS];
	unsigned int session_count;
};

static inline bool fl_match_is_on_network(const struct fl_match *match)
{
	return match->rule > FL_MATCH_OFF_NETWORK;
}

/* Order that fl_match() searches in: by client address, then by start. */
void fl_sessions_sort(struct fl_session_record *sessions, size_t count);

/* Addresses that are worth comparing: no loopback, no link-local, not the unspecified one. */
bool fl_addr_is_usable(const struct fl_addr *addr);

/**
 * fl_match() - the client behind a participant: the first rule that gives exactly one answer
 *
 * The sites' index is their number. *ret_match is always written.
 */
void fl_match(const struct fl_network *net, const struct fl_join_ends *join,
	      struct fl_match *ret_match);

/* "private_ip+session" and so on: why there is a match, or none. */
const char *fl_match_rule_text(enum fl_match_rule rule);

/**
 * fl_match_path() - the path that carried a participant in a minute
 *
 * Of its sessions in that minute the one with most bytes; of that, the path on which it was
 * longest. Return: true and *ret_path, or false if the router knows no session of it.
 */
bool fl_match_path(const struct fl_match *match, int64_t minute, uint32_t *ret_path);

/* Bytes of the match's sessions that belong to a join; 0 if they run in a tunnel. */
uint64_t fl_match_bytes(const struct fl_match *match, int64_t join_s, int64_t leave_s);

/**
 * fl_path_minute_near() - the WAN side of a minute
 * @rows: of one path, ascending by minute
 *
 * A missing minute is looked for one minute before, then one after, and no further: NULL then.
 */
const struct fl_path_minute *fl_path_minute_near(const struct fl_path_minute *rows, size_t count,
						 int64_t minute);

#endif
