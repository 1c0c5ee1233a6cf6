// SPDX-License-Identifier: Apache-2.0
/* The root of the table: see table.h. */
#include "agent/config/table.h"

#include "agent/config/table_macros.h"

static const struct fl_cfg_field root_fields[] = {
	{ .key = "authority",
	  .kind = FL_CFG_OBJECT,
	  .flags = FL_CFG_REQUIRED,
	  AT(fl_config, authority),
	  .object = &fl_cfg_authority_object,
	  .help = "what holds for the whole network" },
	{ .key = "router",
	  .kind = FL_CFG_OBJECT,
	  .flags = FL_CFG_REQUIRED,
	  AT(fl_config, router),
	  .object = &fl_cfg_router_object,
	  .help = "this router" },
	END,
};
const struct fl_cfg_object fl_cfg_root = { "configuration", sizeof(struct fl_config), root_fields,
					   NULL };

size_t fl_cfg_name_max(const struct fl_cfg_field *field)
{
	return field->max ? (size_t)field->max : FL_NAME_LEN - 1;
}

const char *fl_cfg_word_of(const struct fl_cfg_field *field, int value)
{
	for (const struct fl_cfg_word *w = field->words; w->word; w++)
		if (w->value == value)
			return w->word;
	return NULL;
}
