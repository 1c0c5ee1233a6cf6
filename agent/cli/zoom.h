/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that ask fairlead-insightd share. */
#ifndef FL_AGENT_CLI_ZOOM_H
#define FL_AGENT_CLI_ZOOM_H

#include "agent/cli/cli.h"
#include "agent/cli/table.h"

/* Words that a command understands: bits. */
#define FL_ZOOM_WORD_ORG    0x001
#define FL_ZOOM_WORD_SITE   0x002
#define FL_ZOOM_WORD_CLIENT 0x004
#define FL_ZOOM_WORD_SEARCH 0x008
#define FL_ZOOM_WORD_PAGE   0x010
#define FL_ZOOM_WORD_STREAM 0x020
#define FL_ZOOM_WORD_TIME   0x040
#define FL_ZOOM_WORD_BAD    0x080
#define FL_ZOOM_WORD_DATA   0x100

#define FL_ZOOM_PAGE 10 /* lines: "1-10 of N" */

/**
 * fl_zoom_show() - ask, then show: most commands are this
 * @request: taken; NULL: it was not understood, which has been said
 *
 * Return: the exit code.
 */
int fl_zoom_show(const struct fl_cli *cli, struct fl_json *request,
		 void (*print)(const struct fl_json *data));

/**
 * fl_zoom_request() - a request from the words behind a command
 * @name: member that the first word becomes, NULL: there is none
 *
 * Return: for fl_cli_ask(); NULL for words that are not understood, which was said.
 */
struct fl_json *fl_zoom_request(const char *command, const char *name, unsigned int words, int argc,
				char **argv);

/* "2026-11-30", "2026-11-30T10:00[:00]", "2026-11-30 10:00" in local time, or seconds since 1970.
 */
bool fl_zoom_parse_when(const char *text, int64_t *ret_s);

/* Local time of a member in seconds; "-" if it is not there. Valid until the eighth call after. */
const char *fl_zoom_when(const struct fl_json *object, const char *key);

/* Tables of what several commands show. */
void fl_zoom_print_calls(const struct fl_json *data);
void fl_zoom_print_events(const struct fl_json *data);

#endif
