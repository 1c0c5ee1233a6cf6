/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubt about a path whose peer is late: the Echo function (RFC 5880 6.4, 6.8.5), used on demand.
 * Pure: no clock and no I/O; the owner says what is known and what time it is, and sends.
 *
 * The detection timer waits for as many control packets as the multiplier says, at the pace of the
 * peer's agent. What the peer's data plane reflects comes back at once: so when a control packet is
 * overdue, echo packets ask whether there is a path at all, and if none of as many comes back, nor
 * anything else, the path is gone. That takes 60 % of the detection time, whatever the multiplier:
 * who asks for more patience gets as many times more of it.
 *
 * A late host must not be taken for a dead path: a count during which the owner was late, or in
 * which this host's network stack showed strain, begins anew. On a path of which too little is
 * known, or which is lossy, or slow, nothing is asked, and the timer is the judge.
 *
 * How often would loss alone end a good path? For that a control packet is lost (chance p), the
 * next one comes later than 60 % of the detection time after the last (by its jitter, 0.32 of the
 * times at a multiplier of 3), and three echoes are lost on either of their ways (2p each): 2.6 p^4
 * for each control packet. At the limit of 1 % for echoes p is 0.5 %, and that is once in ten
 * months at 50 ms, once in 17 years at 1 s. The timer, whose three packets in a row are all lost
 * at p^3, would end the same path every four days, every 80 at 1 s. The limit is there because loss
 * comes in bursts, and echoes are sent closer together than control packets.
 */
#ifndef FL_AGENT_PATH_DOUBT_H
#define FL_AGENT_PATH_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/monotime.h"
#include "agent/path/mos.h"

/* Of the agreed interval: packets come with 75 to 100 % of it, so that is late (chosen). */
#define FL_DOUBT_LATE_PCT 120
/* Of the detection time: when the last echo has had its time (chosen). */
#define FL_DOUBT_SHARE_PCT 60
/* Between echoes, so that the peer, which reflects 200 a second, still reflects link tests. */
#define FL_DOUBT_SPACING_US 10000
/* Fewer than that prove nothing, whatever the multiplier (RFC 5880 allows 1). */
#define FL_DOUBT_PROBES_MIN 3
/* Later than this the owner was kept from running (chosen: half the least spacing). */
#define FL_DOUBT_PUNCTUAL_US 5000
/* With more than this lost in link tests the timer is the judge. */
#define FL_DOUBT_LOSS_PPM 10000
/* What was measured before says nothing; the longest round trip is that of one to two of these. */
#define FL_DOUBT_RECENT_MS 60000

struct fl_doubt {
	/* of the present silence */
	struct fl_mono heard;
	struct fl_mono probed;
	uint64_t strain;
	uint8_t sent;
	bool settled; /* no more to be asked until something is heard */
	/* of the path */
	bool measured;
	struct fl_mono measured_at;
	uint32_t loss_ppm;
	uint32_t jitter_us;
	uint32_t rtt_us[2]; /* longest of this period, and of the one before */
	struct fl_mono rtt_since;
};

/* What is to be known at each call. */
struct fl_doubt_path {
	bool may_ask; /* it is up, its peer reflects, and what it says can be proven */
	uint8_t mult;
	uint64_t detection_us;
};

enum fl_doubt_verdict {
	FL_DOUBT_WAIT = 0,
	FL_DOUBT_PROBE, /* send an echo now */
	FL_DOUBT_DEAD,
};

/* Nothing is known: the path came up, or went down. */
void fl_doubt_reset(struct fl_doubt *doubt, struct fl_mono now);

/* Anything came that its peer, or its peer's data plane, has sent now. */
void fl_doubt_heard(struct fl_doubt *doubt, struct fl_mono at);

/* A round trip took so long. */
void fl_doubt_rtt(struct fl_doubt *doubt, uint32_t rtt_us, struct fl_mono at);

/* A link test has ended so; @mean_loss_ppm: of those of the last minute before it. */
void fl_doubt_measured(struct fl_doubt *doubt, const struct fl_quality *burst,
		       uint32_t mean_loss_ppm, struct fl_mono at);

/* When fl_doubt_run() is to be called; UINT64_MAX: not before something is heard. */
struct fl_mono fl_doubt_wake(const struct fl_doubt *doubt, const struct fl_doubt_path *path);

/* The echo that fl_doubt_run() asked for leaves now: later than it said, where others came first.
 */
void fl_doubt_sent(struct fl_doubt *doubt, struct fl_mono at);

/* Has it begun to ask, so that whoever calls should be punctual? */
bool fl_doubt_is_asking(const struct fl_doubt *doubt);

/**
 * fl_doubt_run() - fl_doubt_wake() has come, and all that had arrived before was passed in
 * @strain: grows when this host does not keep up with its packets
 */
enum fl_doubt_verdict fl_doubt_run(struct fl_doubt *doubt, const struct fl_doubt_path *path,
				   uint64_t strain, struct fl_mono now);

#endif
