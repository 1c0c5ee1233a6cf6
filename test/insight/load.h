/* SPDX-License-Identifier: Apache-2.0 */
/* The reference data of zoom-api.md section 13, as structs: for tests and measurements. */
#ifndef FL_TEST_INSIGHT_LOAD_H
#define FL_TEST_INSIGHT_LOAD_H

#include "agent/codec/json.h"
#include "agent/insight/correlate.h"

#define LOAD_MINUTES 64

struct load_join {
	char uuid[FL_KEY_LEN];
	char name[FL_PERSON_LEN];
	struct fl_join_ends ends;
	enum fl_network_type network_type;
	enum fl_conn_type conn_type;
	struct fl_call_minute minutes[LOAD_MINUTES];
	unsigned int minute_count;
};

/* The two sites of the correlation fixture, hq = 0 and branch1 = 1; path 7 is hq's, 8 branch1's. */
#define LOAD_HQ_PATH     7
#define LOAD_BRANCH_PATH 8

struct load {
	struct load_join joins[16];
	unsigned int join_count;
	struct fl_session_record sessions[16];
	unsigned int session_count;
	struct fl_path_minute wan[128];
	unsigned int wan_count;
	struct fl_network net;
};

/* All of these end the program on bad data. */
struct fl_json *load_json(const char *name);    /* below test/insight/data/ */
double load_number(const struct fl_json *json); /* NAN for null */
int64_t load_time(const char *text);
const struct load *load_correlation(void);

#endif
