/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What common/parse.h leaves to the data plane: walks through headers of any length. Not static, so
 * that the verifier follows their loops once. Include from a context layer.
 */
#ifndef FL_BPF_HEADERS_H
#define FL_BPF_HEADERS_H

/* IPv4 options at offset @at, @len bytes. See fl_ip4_source_routed(). */
__noinline int FL_OWN(fl_ip4_options)(FL_CTX *ctx, __u32 at, __u32 len)
{
	return fl_ip4_source_routed(ctx, fl_ctx_data(ctx), fl_ctx_end(ctx), at, len);
}

/* See fl_walk_ip6_ext(). */
__noinline int FL_OWN(fl_ip6_ext)(FL_CTX *ctx, __u32 at, __u32 proto)
{
	return fl_walk_ip6_ext(fl_ctx_data(ctx), fl_ctx_end(ctx), at, proto);
}

#endif
