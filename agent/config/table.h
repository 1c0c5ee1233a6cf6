/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one description of the configuration: what keys an object has, of what kind, with which range
 * and default, and where the value goes. Loading, printing, comparing and the JSON schema all walk
 * it.
 */
#ifndef FL_AGENT_CONFIG_TABLE_H
#define FL_AGENT_CONFIG_TABLE_H

#include "agent/config/config.h"

enum fl_cfg_kind {
	FL_CFG_BOOL,
	FL_CFG_U8,
	FL_CFG_U16,
	FL_CFG_U32,
	FL_CFG_DECIMAL,  /* number that may have a fraction; stored times @scale, rounded */
	FL_CFG_ENUM,     /* a word; stored as its value, one byte or an int by @size */
	FL_CFG_NAME,     /* text of 1 to @max bytes, UTF-8, no control characters */
	FL_CFG_ADDR,     /* IPv4 or IPv6 address */
	FL_CFG_PREFIX,   /* address/length */
	FL_CFG_HEX,      /* hex digits, as many as one of @digits, stored as bytes */
	FL_CFG_TIME,     /* RFC 3339, UTC or with offset; stored as seconds since 1970 */
	FL_CFG_MSS,      /* "disabled", "automatic", or bytes */
	FL_CFG_PRIORITY, /* "ordered", "never", or a number */
	FL_CFG_SOURCE,   /* tenant, tenant@prefix, @prefix */
	FL_CFG_OBJECT,   /* of @object, in place */
	FL_CFG_OPTIONAL, /* of @object, behind a pointer that is NULL without it */
	FL_CFG_LIST,     /* of what @element describes; count at @count_offset */
};

#define FL_CFG_REQUIRED 0x01
#define FL_CFG_SECRET   0x02 /* never printed */
#define FL_CFG_RESTART  0x04 /* fixed when the data plane is made */
#define FL_CFG_ORDERED  0x08 /* list: the order of its elements means something */

struct fl_cfg_word {
	const char *word;
	int value;
};

struct fl_cfg_object;

struct fl_cfg_field {
	const char *key; /* NULL ends a list of fields */
	enum fl_cfg_kind kind;
	unsigned int flags;
	size_t offset;
	size_t count_offset;
	size_t size;    /* of the value, or of a list's element */
	int64_t min;    /* of a number */
	int64_t max;    /* of a number; bytes of a name, 0: FL_NAME_LEN - 1; elements of a list */
	int64_t scale;  /* of a decimal: what 1 is stored as; min, max and preset are stored values
			 */
	int64_t preset; /* default of numbers, booleans, words (by value) */
	const struct fl_cfg_word *words;
	const unsigned int *digits;         /* ends with 0 */
	const struct fl_cfg_object *object; /* of objects, or of a list's elements */
	const struct fl_cfg_field *element; /* of a list whose elements are no objects */
	const char *help;
};

struct fl_cfg_object {
	const char *name; /* for the schema */
	size_t size;
	const struct fl_cfg_field *fields;
	const char *id; /* key that tells elements of a list apart; NULL: their place does */
};

/* The whole file. */
extern const struct fl_cfg_object fl_cfg_root;
extern const struct fl_cfg_object fl_cfg_authority_object;
extern const struct fl_cfg_object fl_cfg_router_object;
extern const struct fl_cfg_object fl_cfg_export_object;
/* "bfd", at three levels. */
extern const struct fl_cfg_object fl_cfg_bfd_object;
/* An element of /router/peer. */
extern const struct fl_cfg_object fl_cfg_peer_object;

/* Bytes that a name may have. */
size_t fl_cfg_name_max(const struct fl_cfg_field *field);

/* The word of a value, NULL if there is none. */
const char *fl_cfg_word_of(const struct fl_cfg_field *field, int value);

#endif
