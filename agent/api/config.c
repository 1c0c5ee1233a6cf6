// SPDX-License-Identifier: Apache-2.0
/* The configuration in use, and another one beside it. Texts come from the client, which may read
 * files that this process may not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api/api_internal.h"

void fl_api_add_findings(struct fl_json *reply, const struct fl_config_errors *errors)
{
	struct fl_json *list = fl_json_add_array(reply, "findings");

	for (size_t i = 0; i < fl_config_errors_count(errors); i++) {
		const struct fl_config_error *e = fl_config_errors_get(errors, i);
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_string(o, "pointer", e->pointer);
		fl_json_add_string(o, "value", e->value);
		fl_json_add_string(o, "problem", e->problem);
		fl_json_add_bool(o, "warning", e->warning);
	}
}

int fl_api_add_changes(struct fl_json *reply, const struct fl_config *from,
		       const struct fl_config *to)
{
	struct fl_json *list = fl_json_add_array(reply, "changes");
	struct fl_config_changes *changes = NULL;
	int err = fl_config_diff(from, to, &changes), count;

	if (err < 0)
		return err;
	count = (int)fl_config_changes_count(changes);
	for (int i = 0; i < count; i++) {
		const struct fl_config_change *c = fl_config_changes_get(changes, (size_t)i);
		struct fl_json *o = fl_json_add_object(list, NULL);

		fl_json_add_string(o, "pointer", c->pointer);
		fl_json_add_string(o, "old", c->old_value);
		fl_json_add_string(o, "new", c->new_value);
		fl_json_add_bool(o, "needs-restart", c->restart);
	}
	fl_config_changes_free(changes);
	return count;
}

void fl_api_config_apply(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	api->apply(api->ctx, fl_json_get_string(fl_json_member(request, "text")), reply);
}

void fl_api_config_diff(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	const char *text = fl_json_get_string(fl_json_member(request, "text"));
	struct fl_json *data = fl_json_add_object(reply, "data");
	struct fl_config_errors *errors = NULL;
	struct fl_config *config = NULL;
	int err;

	if (!text) {
		fl_ctl_error(reply, FL_CTL_USAGE, "no configuration to compare with");
		return;
	}
	err = fl_config_load(text, strlen(text), &config, &errors);
	fl_api_add_findings(data, errors);
	fl_config_errors_free(errors);
	if (!err && fl_api_add_changes(data, api->config, config) < 0)
		err = -ENOMEM;
	if (err)
		fl_ctl_error(reply, err == -EINVAL ? FL_CTL_BAD_CONFIG : FL_CTL_NO, "%s",
			     err == -EINVAL ? "the configuration has errors" : strerror(-err));
	fl_config_free(config);
}

void fl_api_config_show(struct fl_api *api, const struct fl_json *request, struct fl_json *reply)
{
	bool defaults = fl_json_get_bool(fl_json_member(request, "defaults"));
	char *text = fl_config_print(api->config, defaults ? FL_CONFIG_DEFAULTS : FL_CONFIG_AS_IS);

	if (!text)
		fl_ctl_error(reply, FL_CTL_NO, "out of memory");
	else
		fl_json_add_string(fl_json_add_object(reply, "data"), "text", text);
	free(text);
}
