// SPDX-License-Identifier: Apache-2.0
/* From what is known of a path's link and of its peer (quality.h) to whether it can be used. */
#include <string.h>

#include "agent/base/log.h"
#include "agent/path/fabric_internal.h"

const struct fl_path_quality *fl_fabric_path_quality(const struct fl_fabric *fabric, uint16_t id)
{
	const struct fl_path_rt *path = fl_fabric_path(fabric, id);

	return path && path->cfg ? &path->quality : NULL;
}

void fl_path_judge(struct fl_fabric *f, struct fl_path_rt *path)
{
	const char *why = path->link_why;
	char local[FL_ADDR_TEXT], remote[FL_ADDR_TEXT];

	if (!why && path->quality.live == FL_LIVE_NO)
		why = path->quality.why_not;
	path->why = why;
	if (path->judged && path->usable == !why)
		return;
	path->judged = true;
	path->usable = !why;
	path->since = fl_mono_now();
	fl_notice("path to %s, %s to %s: %s%s", f->peers[path->peer].name,
		  fl_addr_format(&path->local, local), fl_addr_format(&path->remote, remote),
		  why ? "down: " : "up", why ? why : "");
	if (f->ops->path_usable)
		f->ops->path_usable(f->ctx, path->id, path->usable);
}

void fl_fabric_set_quality(struct fl_fabric *fabric, uint16_t id,
			   const struct fl_path_quality *quality)
{
	struct fl_path_rt *path = id < FL_MAX_PATHS ? &fabric->paths[id] : NULL;
	bool asks_anew;

	if (!path || !path->cfg)
		return;
	asks_anew =
		quality->heard && (!path->quality.heard || quality->proves != path->quality.proves);
	path->quality = *quality;
	if (asks_anew)
		fl_path_refresh(fabric, path);
	else
		fl_path_judge(fabric, path);
}

void fl_fabric_path_moved(struct fl_fabric *fabric, uint16_t id, const struct fl_addr *remote)
{
	struct fl_path_rt *path = id < FL_MAX_PATHS ? &fabric->paths[id] : NULL;
	char from[FL_ADDR_TEXT], to[FL_ADDR_TEXT];

	if (!path || !path->cfg || remote->family != path->local.family ||
	    fl_addr_equal(&path->remote, remote))
		return;
	fl_notice("path to %s: its remote waypoint %s is reached at %s now",
		  fabric->peers[path->peer].name, fl_addr_format(&path->remote, from),
		  fl_addr_format(remote, to));
	fl_path_lookup_clear(fabric, path);
	path->remote = *remote;
	fl_path_refresh(fabric, path);
}
