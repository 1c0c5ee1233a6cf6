/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the configuration as a table; private to conf*.c. */
#ifndef FL_AGENT_INSIGHTD_CONF_TABLE_H
#define FL_AGENT_INSIGHTD_CONF_TABLE_H

#include "agent/insightd/conf.h"

enum fl_conf_kind {
	FL_CONF_BOOL,
	FL_CONF_NUMBER, /* uint32_t */
	FL_CONF_TEXT,
	FL_CONF_WORD, /* one of @words; stored as its place among them */
	FL_CONF_BASE, /* https://host[:port], nothing behind it */
};

#define FL_CONF_SECRET 0x01 /* never printed */

struct fl_conf_key {
	const char *section; /* object that it stands in, "" the file's own */
	const char *key;
	enum fl_conf_kind kind;
	unsigned int flags;
	size_t offset; /* in struct fl_conf */
	size_t size;   /* of a text, NUL included */
	uint32_t min, max, preset;
	const char *preset_text;
	const char *const *words; /* ends with NULL */
	const char *help;
};

/* Keys of one section stand together; ends with a NULL key. */
extern const struct fl_conf_key fl_conf_keys[];

/* Of an element of "sites"; lists of texts but for the first two. */
extern const char *const fl_conf_site_keys[];
extern const char *const fl_conf_site_help[];

/* One more problem at @where: "/zoom/client-id". */
void fl_conf_problem(struct fl_conf_problems *problems, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "sites" of the file into @conf. Return: 0 or -ENOMEM; mistakes are problems. */
int fl_conf_load_sites(const struct fl_json *list, struct fl_conf *conf,
		       struct fl_conf_problems *problems);
void fl_conf_print_sites(const struct fl_conf *conf, struct fl_json *to);

#endif
