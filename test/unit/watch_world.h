/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths under watch: two routers with one path between them, a wire that the test bends, and a
 * clock of the test's. Packets are real: sealed, parsed, checked.
 */
#ifndef FL_TEST_UNIT_WATCH_WORLD_H
#define FL_TEST_UNIT_WATCH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/path/watch.h"

#define MS   FL_NS_PER_MS
#define PATH 1

struct side {
	struct fl_watch *watch;
	struct fl_watch_self self;
	struct fl_watch_spec spec;
	uint8_t room[FL_WATCH_PACKET_MAX];
	struct fl_path_quality q;
	unsigned int news;
	unsigned int ups;
	unsigned int downs;
	bool was_usable;
	bool asleep; /* its owner does not run: packets wait */
	unsigned int n;
	int base;
};

extern struct side sides[2];
extern uint64_t mono_ns, wall_ns;
/* The wire, by direction (of the sender). */
extern bool cut[2];
extern uint64_t delay_ns[2];
extern unsigned int lose_next; /* as many packets, of whoever sends */
extern bool reflects;
extern unsigned int lose_echo; /* one in so many */
extern uint64_t strained;      /* what both hosts say of themselves */
extern uint8_t nat_host;       /* what side 0's packets arrive from; 0: as sent */
extern uint16_t nat_port;

/* Keys made of one byte. */
struct fl_rings *rings_with(uint8_t key);

struct fl_addr addr(uint8_t host);

/* Take on sides[n].spec. */
void side_set(int n);

/* The agent of side @n starts anew. */
void restart(int n, uint32_t capability);

void world(void);
void world_end(void);
void run_ms(uint64_t ms);

/* Until both sides are up and used. */
void come_up(void);

#endif
