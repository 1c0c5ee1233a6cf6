/* SPDX-License-Identifier: Apache-2.0 */
/* Names of agents side by side on one host: they become names of folders, here and in bpffs. */
#ifndef FL_AGENT_BASE_INSTANCE_H
#define FL_AGENT_BASE_INSTANCE_H

#include <stdbool.h>

/* What is allowed, for a message. */
#define FL_INSTANCE_RULE                                                                           \
	"an instance name has up to 32 bytes, no \"/\", and begins neither with \".\" nor with "   \
	"\"v\" and a digit"

/* "" is the one without a name. */
bool fl_instance_is_name(const char *name);

#endif
