/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths under watch: for each a BFD session, what its packets tell of the peer, and link tests
 * (svr-protocol.md 5). Pure: no clock and no I/O; the owner hands packets in, says what time it is,
 * and sends what comes out:
 *
 *	fl_watch_rx()   every packet that has arrived, with the time at which it arrived
 *	fl_watch_run()  after that, when fl_watch_wake() has come: timers, and packets to send
 *	fl_watch_news() what changed
 *
 * A late owner declares nothing down by mistake if it keeps that order. One thread at a time.
 */
#ifndef FL_AGENT_PATH_WATCH_H
#define FL_AGENT_PATH_WATCH_H

#include "agent/base/netinfo.h"
#include "agent/path/bfd_fsm.h"
#include "agent/path/echo.h"
#include "agent/path/quality.h"
#include "agent/path/rings.h"

/* Largest IP packet that is sent. */
#define FL_WATCH_PACKET_MAX 1024

/*
 * How long a path whose peer's agent, or ours, has started anew stays in use without BFD (chosen:
 * at the 1 s of RFC 5880 6.8.3 the handshake has five attempts).
 */
#define FL_WATCH_RESTART_MS 5000

/*
 * How long an agent may be silent while its data plane, which reflects link tests, is not: to be
 * started anew, to be busy (chosen: systemd's restart and a large configuration). Until then the
 * path goes on, as the sessions on it do.
 */
#define FL_WATCH_AGENT_MS 10000

/* This router, for as long as the process lives. */
struct fl_watch_self {
	struct fl_meta_boot_id boot;
	uint32_t capability; /* FL_CAPABLE_* */
	/* Build in room(), FL_WATCH_PACKET_MAX bytes, then queue() an IP packet. */
	uint8_t *(*room)(void *ctx);
	void (*queue)(void *ctx, const struct fl_tx_to *to, size_t len);
	/* Grows when this host does not keep up with its packets. */
	uint64_t (*strain)(void *ctx);
	void *ctx;
};

/* What is to be watched, and how. */
struct fl_watch_spec {
	uint16_t id; /* of the path, below FL_MAX_PATHS */
	bool enabled;
	bool link_up; /* device, route and neighbour are there */
	bool was_up;  /* looked at once: in use before this process began */
	uint8_t dscp;
	uint32_t ifindex; /* where its packets arrive; 0: not looked at */
	struct fl_addr local;
	struct fl_addr remote; /* as configured */
	struct fl_tx_to to;
	int tx_policy; /* index of the security policy to send by, FL_CFG_NONE: cannot send */
	int rx_policy; /* of what is received on the interface */
	bool proves;   /* all packets that arrive are to be proven: the peer is told */
	struct fl_bfd_cfg bfd;
	struct fl_echo_cfg echo;
	bool echo_detection; /* see doubt.h */
	uint32_t rolling_ms;
};

/* A datagram to port FL_BFD_PORT. */
struct fl_watch_packet {
	struct fl_addr local;
	struct fl_addr source;
	uint16_t source_port;
	uint32_t ifindex;
	uint8_t *data; /* changed */
	size_t len;
	struct fl_mono at;
};

struct fl_watch;

int fl_watch_new(const struct fl_watch_self *self, struct fl_watch **ret_watch);
void fl_watch_free(struct fl_watch *watch);

/**
 * fl_watch_configure() - name and keys that paths set from now on use
 * @router: own name, copied
 * @rings:  one reference is taken over
 *
 * Paths keep the keys that they were set with until they are set again.
 */
void fl_watch_configure(struct fl_watch *watch, const char *router, struct fl_rings *rings);

/**
 * fl_watch_set() - begin to watch a path, or watch it in another way
 *
 * A session that is up stays up over changed parameters. Return: 0 or -ENOMEM.
 */
int fl_watch_set(struct fl_watch *watch, const struct fl_watch_spec *spec, struct fl_mono now);

/* Nor is its peer to use it any more, and is told so. */
void fl_watch_remove(struct fl_watch *watch, uint16_t id, struct fl_mono now);

/* Nothing of it is remembered, so strangers cost only the look. */
void fl_watch_rx(struct fl_watch *watch, const struct fl_watch_packet *packet);
void fl_watch_run(struct fl_watch *watch, struct fl_mono now);

/* When fl_watch_run() has something to do; UINT64_MAX: not before an event. */
struct fl_mono fl_watch_wake(const struct fl_watch *watch);

/*
 * The same where it must be punctual: the next step of a path that is asked whether it is there,
 * the next packet of a link test that is on its way. UINT64_MAX: there is none.
 */
struct fl_mono fl_watch_urgent(const struct fl_watch *watch);

/* The shortest interval that any path may use, in either direction; UINT32_MAX without paths. */
uint32_t fl_watch_pace_us(const struct fl_watch *watch);

/* Bits of fl_watch_news(). */
#define FL_WATCH_CHANGED   0x1 /* its quality is worth a look */
#define FL_WATCH_PEER_LOST 0x2 /* the peer has lost its sessions: re-signal them (3.3) */
#define FL_WATCH_MOVED     0x4 /* it is reached at another address or port: re-signal (P-38) */

/* One path with news. Return: its bits, 0 if there are none. Each is said once. */
unsigned int fl_watch_news(struct fl_watch *watch, uint16_t *ret_id);

bool fl_watch_has_news(const struct fl_watch *watch);

/* All that is known of a path; zeros for one that is not watched. */
void fl_watch_quality(const struct fl_watch *watch, uint16_t id, struct fl_mono now,
		      struct fl_path_quality *ret_quality);

/* Packets that belonged to no path, or to one on another interface. */
uint64_t fl_watch_strangers(const struct fl_watch *watch);

#endif
