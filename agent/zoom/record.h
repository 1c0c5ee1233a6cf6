/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credential: what Zoom gave to one person for one app, and which organisations use it. One
 * sealed file each (agent/crypto/vault.h), replaced before what is in it is used (zoom-api.md 2.1,
 * 9).
 */
#ifndef FL_AGENT_ZOOM_RECORD_H
#define FL_AGENT_ZOOM_RECORD_H

#include "agent/zoom/oauth.h"

struct fl_vault;

#define FL_ZOOM_ORGS_MAX 16
#define FL_ZOOM_ID_LEN   33 /* of a record: 32 hex digits and a NUL */

struct fl_zoom_record {
	char id[FL_ZOOM_ID_LEN];
	struct fl_zoom_app app;
	struct fl_zoom_token token; /* access "": none */
	int64_t expires_s;          /* wall clock, of the access token */
	struct fl_zoom_person person;
	struct fl_zoom_link links[FL_ZOOM_ORGS_MAX];
	size_t link_count;
	char failed[384]; /* "": in order; else why it must be linked again */
};

/* One record for each app and person, or account (zoom-api.md 2.1). */
void fl_zoom_record_name(struct fl_zoom_record *record);

/* Return: 0 or -errno, nothing was changed then. */
int fl_zoom_record_save(const struct fl_zoom_record *record, const struct fl_vault *vault,
			const char *dir);
/* @file: name within @dir. Return: 0, -EBADMSG, -errno. */
int fl_zoom_record_load(const char *file, const struct fl_vault *vault, const char *dir,
			struct fl_zoom_record *ret_record);
int fl_zoom_record_delete(const struct fl_zoom_record *record, const char *dir);
/* Is this the name of a record's file? */
bool fl_zoom_record_is_file(const char *file);

struct fl_zoom_link *fl_zoom_record_link(struct fl_zoom_record *record, const char *org);

#endif
