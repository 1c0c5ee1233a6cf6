// SPDX-License-Identifier: Apache-2.0
/*
 * Minutes of the QSS add-on. Each item is one stream of one minute; put into the shape of the REST
 * API, they are read by the same code as everything else.
 */
#include "agent/zoom/webhook_qos.h"

#include <stdlib.h>
#include <string.h>

#include "agent/codec/json.h"
#include "agent/codec/json_pull.h"
#include "agent/zoom/parse.h"

/* Types that REST has under the same name. */
static bool is_known(const char *type)
{
	static const char *const types[] = { "audio_input",  "audio_output", "video_input",
					     "video_output", "as_input",     "as_output",
					     "cpu_usage",    "wifi_rssi" };

	for (size_t i = 0; type && i < sizeof(types) / sizeof(*types); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return false;
}

static bool copy_detail(void *ctx, const char *key, struct fl_json *value)
{
	int64_t n;

	if (!fl_json_get_i64(value, &n))
		fl_json_add_i64(ctx, key, n);
	else
		fl_json_add_string(ctx, key, fl_json_get_string(value));
	return true;
}

void fl_zoom_hook_minutes(const struct fl_json *qos, struct fl_zoom_join *join)
{
	struct fl_json *root = fl_json_new_object();
	struct fl_json *list = fl_json_add_array(root, "user_qos");
	char key[16];
	struct fl_pull p;
	char *text;

	for (size_t i = 0; i < fl_json_count(qos); i++) {
		const struct fl_json *item = fl_json_at(qos, i);
		const char *type = fl_json_get_string(fl_json_member(item, "type"));
		struct fl_json *element;

		if (!is_known(type))
			continue;
		element = fl_json_add_object(list, NULL);
		fl_json_add_string(element, "date_time",
				   fl_json_get_string(fl_json_member(item, "date_time")));
		fl_json_for_each(fl_json_member(item, "details"), copy_detail,
				 fl_json_add_object(element, type));
	}
	text = fl_json_print(root, FL_JSON_COMPACT);
	fl_json_free(root);
	if (!text)
		return;
	fl_pull_init(&p, text, strlen(text));
	if (fl_pull_object(&p) && fl_pull_key(&p, key, sizeof(key)))
		fl_zoom_join_minutes(join, &p);
	free(text);
}
