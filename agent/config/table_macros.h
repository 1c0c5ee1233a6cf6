/* SPDX-License-Identifier: Apache-2.0 */
/* Short forms for rows of the table; only the table's own files include this. */
#ifndef FL_AGENT_CONFIG_TABLE_MACROS_H
#define FL_AGENT_CONFIG_TABLE_MACROS_H

#include <stddef.h>

#include "agent/config/table.h"

#define END                                                                                        \
	{                                                                                          \
		.key = NULL                                                                        \
	}
#define AT(type, f) .offset = offsetof(struct type, f), .size = sizeof(((struct type *)0)->f)
#define LIST(type, f)                                                                              \
	.kind = FL_CFG_LIST, .offset = offsetof(struct type, f),                                   \
	.count_offset = offsetof(struct type, n_##f), .size = sizeof(*((struct type *)0)->f),      \
	.max = 100000
#define NUM(k, type, f, lo, hi, def)        .kind = k, AT(type, f), .min = lo, .max = hi, .preset = def
#define U32(type, f, lo, hi, def)           NUM(FL_CFG_U32, type, f, lo, hi, def)
#define U16(type, f, lo, hi, def)           NUM(FL_CFG_U16, type, f, lo, hi, def)
#define DECIMAL(type, f, unit, lo, hi, def) NUM(FL_CFG_DECIMAL, type, f, lo, hi, def), .scale = unit
#define BOOL(type, f, def)                  .kind = FL_CFG_BOOL, AT(type, f), .preset = def
#define WORD(type, f, list, def)            .kind = FL_CFG_ENUM, AT(type, f), .words = list, .preset = def
#define NAME(type, f)                       .kind = FL_CFG_NAME, AT(type, f)
#define ADDR(type, f)                       .kind = FL_CFG_ADDR, AT(type, f)

#endif
