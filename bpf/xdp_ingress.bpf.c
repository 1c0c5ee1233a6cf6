// SPDX-License-Identifier: GPL-2.0
/* XDP entry: every managed interface whose driver has it. Multi-buffer, for jumbo frames. */
#include "vmlinux.h"

#include "bpf/lib/ctx_xdp.bpf.h"
#include "bpf/lib/pipeline.bpf.h"

SEC("xdp.frags")
int fl_xdp_ingress(struct xdp_md *ctx)
{
	return fl_ingress(ctx, FL_HOOK_XDP);
}
