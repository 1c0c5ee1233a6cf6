/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the configuration share. */
#ifndef FL_AGENT_CONFIG_CONFIG_INTERNAL_H
#define FL_AGENT_CONFIG_CONFIG_INTERNAL_H

#include "agent/codec/json.h"
#include "agent/config/table.h"

/* Where in the file, and what was found so far. */
struct fl_cfg_load {
	struct fl_config_errors *errors;
	char pointer[1024]; /* of the value at hand; too long ones are cut, for messages only */
	bool no_memory;
};

/* --- errors.c --------------------------------------------------------------------------------- */

struct fl_config_errors *fl_config_errors_new(void);

/* Is there one that is no warning? */
bool fl_config_errors_fatal(const struct fl_config_errors *errors);

/**
 * fl_cfg_complain() - note a finding about the value at @load->pointer
 * @value: NULL: absent
 */
void fl_cfg_complain(struct fl_cfg_load *load, const struct fl_json *value,
		     const struct fl_cfg_field *field, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same about a place by name, after loading; @warning: the file can be used all the same. */
void fl_cfg_complain_at(struct fl_cfg_load *load, bool warning, const char *value,
			const char *problem, const char *pointer_fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Step into a member or an element; returns the length to give back to fl_cfg_leave(). */
size_t fl_cfg_enter(struct fl_cfg_load *load, const char *key);
size_t fl_cfg_enter_index(struct fl_cfg_load *load, size_t index);
void fl_cfg_leave(struct fl_cfg_load *load, size_t len);

/* --- load.c ----------------------------------------------------------------------------------- */

void *fl_cfg_at(void *base, size_t offset);

/* @base is zero; members get their defaults. */
void fl_cfg_set_defaults(const struct fl_cfg_object *object, void *base);

/* --- value.c: one value, of a kind that is neither object nor list ---------------------------- */
void fl_cfg_load_value(struct fl_cfg_load *load, const struct fl_cfg_field *field,
		       const struct fl_json *json, void *at);
void fl_cfg_default_value(const struct fl_cfg_field *field, void *at);
void fl_cfg_free_value(const struct fl_cfg_field *field, void *at);

/* A value's default as JSON, added to @parent; nothing if its default is to be absent. */
void fl_cfg_add_default(struct fl_json *parent, const struct fl_cfg_field *field);

/* --- print.c -----------------------------------------------------------------------------------
 */

/* Added to @to under @key or, to an array, at its end. A secret is copied as it is by the first. */
void fl_cfg_copy_value(struct fl_json *to, const char *key, const struct fl_json *value);
void fl_cfg_copy_field(struct fl_json *to, const struct fl_cfg_field *field,
		       const struct fl_json *value, enum fl_config_print what);
void fl_cfg_copy_object(struct fl_json *to, const struct fl_cfg_object *object,
			const struct fl_json *from, enum fl_config_print what);

/* --- resolve.c: names to indexes, and everything that takes more than one value to check -------
 */
void fl_cfg_resolve(struct fl_cfg_load *load, struct fl_config *config);

/* --- check.c, check_router.c: what must hold between values -------------------------------------
 */
void fl_cfg_check(struct fl_cfg_load *load, const struct fl_config *config);
void fl_cfg_check_router(struct fl_cfg_load *load, const struct fl_config *config);

#define FL_CFG_INTERFACE_POINTER 96

/* JSON pointer to a network interface. */
void fl_cfg_interface_pointer(const struct fl_config *config,
			      const struct fl_cfg_network_interface *n,
			      char pointer[FL_CFG_INTERFACE_POINTER]);

#endif
