// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include "test/unit/engine_world.h"

Test(engine_handshake, smoke)
{
	const struct world_opts opts = { 0 };
	struct world *w = world_new(&opts);
	struct say dns = { 0 };
	struct got g;

	client_says(w, &dns);
	cr_assert_eq(router_sessions(&w->r[R1]), 1);
	cr_assert_eq(router_sessions(&w->r[R2]), 1);
	cr_assert(got_out(&w->r[R2], &g));
	world_free(w);
}
