// SPDX-License-Identifier: Apache-2.0
/* Numbers of duplicated packets: which pass (common/dup.h, P-42). */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/dup.h"

struct step {
	uint32_t seq;
	uint32_t at_ms;
	enum fl_dup_verdict want;
};

static void walk(const struct step *steps, size_t count)
{
	struct fl_dup dup = { 0 };

	for (size_t i = 0; i < count; i++)
		cr_expect_eq(fl_dup_check(&dup, steps[i].seq, steps[i].at_ms), steps[i].want,
			     "step %zu, number %u", i, steps[i].seq);
}

#define WALK(name, ...)                                                                            \
	Test(dup, name)                                                                            \
	{                                                                                          \
		static const struct step steps[] = { __VA_ARGS__ };                                \
		walk(steps, sizeof(steps) / sizeof(steps[0]));                                     \
	}

WALK(copies, { 1, 0, FL_DUP_NEW }, { 1, 0, FL_DUP_AGAIN }, { 2, 0, FL_DUP_NEW },
     { 1, 0, FL_DUP_AGAIN }, { 2, 0, FL_DUP_AGAIN })

WALK(first_may_come_late, { 3, 0, FL_DUP_NEW }, { 1, 0, FL_DUP_NEW }, { 2, 0, FL_DUP_NEW },
     { 1, 0, FL_DUP_AGAIN })

WALK(edge_of_the_window, { 5000, 0, FL_DUP_NEW }, { 5000 - 1023, 0, FL_DUP_NEW },
     { 5000 - 1023, 0, FL_DUP_AGAIN }, { 5000 - 1024, 0, FL_DUP_OUTSIDE }, { 5001, 0, FL_DUP_NEW },
     { 5000 - 1023, 0, FL_DUP_OUTSIDE }, { 5000 - 1022, 0, FL_DUP_NEW })

/* What falls out of the window and what comes into it share a bit. */
WALK(bits_are_used_again, { 1, 0, FL_DUP_NEW }, { 1025, 0, FL_DUP_NEW }, { 2, 0, FL_DUP_NEW },
     { 1, 0, FL_DUP_OUTSIDE }, { 1025, 0, FL_DUP_AGAIN }, { 2048, 0, FL_DUP_NEW },
     { 1026, 0, FL_DUP_NEW }, { 1025, 0, FL_DUP_AGAIN })

WALK(a_gap_as_wide_as_the_window, { 10, 0, FL_DUP_NEW }, { 10 + 1023, 0, FL_DUP_NEW },
     { 10, 0, FL_DUP_AGAIN }, { 10 + 1023 + 1024, 0, FL_DUP_NEW }, { 10 + 1023, 0, FL_DUP_OUTSIDE },
     { 10 + 1024, 0, FL_DUP_NEW })

WALK(wrap, { 0xffffff00, 0, FL_DUP_NEW }, { 0xffffffff, 0, FL_DUP_NEW }, { 1, 0, FL_DUP_NEW },
     { 0xffffffff, 0, FL_DUP_AGAIN }, { 0xfffffffe, 0, FL_DUP_NEW }, { 0x41, 0, FL_DUP_NEW },
     { 1, 0, FL_DUP_AGAIN }, { 0x40, 0, FL_DUP_NEW }, { 0xffffff00, 0, FL_DUP_AGAIN })

WALK(jump_is_refused, { 1, 100, FL_DUP_NEW }, { 1 + 65536, 100, FL_DUP_NEW },
     { 2 + 2 * 65536, 5099, FL_DUP_OUTSIDE }, { 2 + 65536, 5099, FL_DUP_NEW })

WALK(jump_after_silence, { 1, 100, FL_DUP_NEW }, { 1000000, 5099, FL_DUP_OUTSIDE },
     { 1000000, 5100, FL_DUP_NEW }, { 1000000, 5100, FL_DUP_AGAIN }, { 999999, 5100, FL_DUP_NEW })

/* Refused numbers do not count as being heard. */
WALK(refused_does_not_keep_alive, { 1, 0, FL_DUP_NEW }, { 1000000, 4000, FL_DUP_OUTSIDE },
     { 1000000, 5000, FL_DUP_NEW })

/* A peer that starts anew is behind: only proven metadata may say so (FL_DUP_ASK_RESTART). */
WALK(behind_never_resyncs, { 1000000, 0, FL_DUP_NEW }, { 1, 60000, FL_DUP_OUTSIDE })

Test(dup, restart)
{
	struct fl_dup dup = { 0 };

	cr_assert_eq(fl_dup_check(&dup, 1000000, 0), FL_DUP_NEW);
	fl_dup_restart(&dup, 7, 0);
	cr_expect_eq(fl_dup_check(&dup, 7, 0), FL_DUP_AGAIN);
	cr_expect_eq(fl_dup_check(&dup, 8, 0), FL_DUP_NEW);
	cr_expect_eq(fl_dup_check(&dup, 6, 0), FL_DUP_NEW);
}

Test(dup, numbers_skip_zero)
{
	struct fl_dup dup = { 0 };

	cr_expect_eq(fl_dup_next(&dup), 1);
	dup.sent = 0xfffffffe;
	cr_expect_eq(fl_dup_next(&dup), 0xffffffff);
	cr_expect_eq(fl_dup_next(&dup), 1);
}

/* Against the plain rule, by a list of what was seen: random walks, also across the wrap. */
#define RANDOM_STEPS 200000

struct model {
	uint32_t seen[FL_DUP_WINDOW];
	bool used[FL_DUP_WINDOW];
	uint32_t highest;
	bool heard;
};

static enum fl_dup_verdict plain_rule(struct model *m, uint32_t seq)
{
	uint32_t at = seq % FL_DUP_WINDOW;

	if (m->heard && m->highest - seq < FL_DUP_WINDOW) {
		if (m->used[at] && m->seen[at] == seq)
			return FL_DUP_AGAIN;
	} else if (m->heard && (int32_t)(seq - m->highest) < 0) {
		return FL_DUP_OUTSIDE;
	} else {
		m->highest = seq;
	}
	m->heard = true;
	m->used[at] = true;
	m->seen[at] = seq;
	return FL_DUP_NEW;
}

Test(dup, random_walk)
{
	static const uint32_t starts[] = { 1, 0xffffc000, 0x7fffc000 };

	srandom(42);
	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		struct fl_dup dup = { 0 };
		struct model model = { 0 };
		uint32_t base = starts[s];

		for (int i = 0; i < RANDOM_STEPS; i++) {
			uint32_t r = (uint32_t)random();
			uint32_t seq = base - r % 1300 + (r >> 16) % 70;

			if (r % 7 == 0)
				base += r >> 20 & 3;
			if (r % 4999 == 0)
				base += r >> 12 & 0xfff;
			cr_assert_eq(fl_dup_check(&dup, seq, 0), plain_rule(&model, seq),
				     "start %x, step %d, number %x", starts[s], i, seq);
		}
	}
}
