/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a minute and sums of ten, as few bytes: private to the store. Pure. Figures are kept
 * as hundredths, and whole numbers, which most of them are, take half the bytes.
 */
#ifndef FL_AGENT_INSIGHT_STORE_PACK_H
#define FL_AGENT_INSIGHT_STORE_PACK_H

#include <stddef.h>

#include "agent/insight/roll.h"

#define FL_PACK_MINUTE_MAX 512
#define FL_PACK_ROLL_MAX   1024

/* Return: bytes written, never more than FL_PACK_MINUTE_MAX. */
size_t fl_pack_minute(const struct fl_call_minute *minute, uint8_t *out);

/* Return: 0, -EBADMSG for what fl_pack_minute() cannot have written. minute->minute is kept. */
int fl_unpack_minute(const uint8_t *data, size_t len, struct fl_call_minute *minute);

size_t fl_pack_roll(const struct fl_roll *roll, uint8_t *out);
int fl_unpack_roll(const uint8_t *data, size_t len, struct fl_roll *ret_roll);

/* Put into @to what @from knows; what it does not know stays. Return: whether anything changed. */
bool fl_merge_minute(struct fl_call_minute *to, const struct fl_call_minute *from);

#endif
