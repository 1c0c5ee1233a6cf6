/* SPDX-License-Identifier: Apache-2.0 */
/* Is a text JSON by the letter of RFC 8259? Part of json.c. */
#ifndef FL_AGENT_CODEC_JSON_SCAN_H
#define FL_AGENT_CODEC_JSON_SCAN_H

#include "agent/codec/json.h"

/* Where whole numbers end that do not fit 64 bits. */
struct fl_json_wide {
	size_t *ends; /* offsets in the text, ascending; for the caller to free, also on failure */
	size_t count;
};

/**
 * fl_json_scan() - check a text, with the place of the first problem
 *
 * Depth, UTF-8, escapes, numbers, keys that stand twice in one object, anything behind the value.
 * Return: 0; -EBADMSG with @why filled; -ENOMEM.
 */
int fl_json_scan(const char *text, size_t len, struct fl_json_wide *ret_wide,
		 struct fl_json_error *why);

#endif
