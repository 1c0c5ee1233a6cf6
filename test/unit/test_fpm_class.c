// SPDX-License-Identifier: Apache-2.0
/* Traffic classes of performance monitoring, code point by code point: see common/fpm_map.h. */
#include <criterion/criterion.h>

#include "common/fpm_map.h"

/* The rule in words, RFC 2474 4.2.2: the class selector decides, but CS1 is for what may wait. */
static enum fl_fpm_class by_rule(unsigned int dscp)
{
	if (dscp >= 40)
		return FL_FPM_HIGH; /* CS5, EF, CS6, CS7 */
	if (dscp >= 24)
		return FL_FPM_MEDIUM; /* CS3, AF3x, CS4, AF4x */
	if (dscp > 8)
		return FL_FPM_LOW; /* AF1x, CS2, AF2x */
	return FL_FPM_BEST_EFFORT;
}

Test(fpm_class, every_code_point)
{
	for (unsigned int dscp = 0; dscp < 64; dscp++)
		for (unsigned int ecn = 0; ecn < 4; ecn++)
			cr_assert_eq(fl_fpm_class((__u8)(dscp << 2 | ecn)), by_rule(dscp),
				     "DSCP %u", dscp);
}

Test(fpm_class, scopes_are_distinct)
{
	static const __u8 tos[FL_FPM_CLASSES] = { 46 << 2, 34 << 2, 18 << 2, 0 };
	unsigned int seen = 0;

	for (int class = 0; class < FL_FPM_CLASSES; class ++) {
		seen |= 1u << fl_fpm_scope_of(tos[class], FL_IPPROTO_TCP);
		seen |= 1u << fl_fpm_scope_of(tos[class], FL_IPPROTO_UDP);
	}
	cr_assert_eq(seen, (1u << FL_PATH_SCOPES) - 1);
}
