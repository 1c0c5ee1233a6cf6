// SPDX-License-Identifier: Apache-2.0
/* Instance names: see instance.h. */
#include "agent/base/instance.h"

#include <string.h>

#define NAME_MAX_BYTES 32

bool fl_instance_is_name(const char *name)
{
	/* "v2" is the folder of a version of the maps. */
	if (name[0] == 'v' && name[1] >= '0' && name[1] <= '9')
		return false;
	return name[0] != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX_BYTES;
}
