/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes of the programs; the control socket answers with the same numbers. */
#ifndef FL_AGENT_BASE_EXIT_CODE_H
#define FL_AGENT_BASE_EXIT_CODE_H

enum fl_ctl_code {
	FL_CTL_OK = 0,
	FL_CTL_NO = 1, /* a negative answer */
	FL_CTL_USAGE = 2,
	FL_CTL_BAD_CONFIG = 3,
	FL_CTL_PERMISSION = 4,
	FL_CTL_UNREACHABLE = 5, /* the agent does not run, or not as this instance */
};

#endif
