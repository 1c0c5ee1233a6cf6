/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a session record to its two flows, and back out again: the one place that knows what a
 * packet of a session is looked up by and what it turns into.
 */
#ifndef FL_AGENT_SESSION_INSTALL_H
#define FL_AGENT_SESSION_INSTALL_H

#include "agent/codec/tuple.h"
#include "agent/session/flows.h"

enum fl_direction {
	FL_FORWARD = 0, /* as in fl_session.slot[] */
	FL_REVERSE = 1,
};

/* The session as its initiator knows it. */
struct fl_tuple fl_session_forward_tuple(const struct fl_session *session);

/* Key by which packets of one direction of a session are found. */
void fl_session_key(const struct fl_session *session, enum fl_direction dir,
		    struct fl_wide_key *ret_key);

/* The flow of one direction: rewrite, way out, flags; counters zero, state established. */
void fl_session_flow(const struct fl_session *session, uint32_t id, enum fl_direction dir,
		     struct fl_flow *ret_flow);

/*
 * An ICMP message on its way to a peer, or from one: identifier and checksum as they must be there.
 * Between routers it is as the session's initiator knows it. Leaves other protocols as they are.
 */
void fl_session_rewrite_icmp(const struct fl_session *session, enum fl_direction dir, uint8_t *l4);

/**
 * fl_session_install() - publish both flows of a record
 * @state: handshake state of each direction to begin with
 *
 * Reverse first: an answer must not come before its flow. The record becomes live only if both are
 * in.
 *
 * Return: 0, -EEXIST (*ret_other is the session that has the key), or -ENOSPC.
 */
int fl_session_install(struct fl_flows *flows, struct fl_tables *tables, uint32_t id,
		       const enum fl_flow_state state[2], uint32_t *ret_other);

/* Withdraw both flows. The record is left as it is. */
void fl_session_withdraw(struct fl_flows *flows, struct fl_tables *tables, uint32_t id,
			 struct fl_mono now);

/* Protocol between routers: what has no ports of its own travels as UDP (3.6). */
static inline uint8_t fl_session_wire_proto(const struct fl_session *session)
{
	return session->proto == 6 ? 6 : 17;
}

#endif
