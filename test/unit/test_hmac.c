// SPDX-License-Identifier: Apache-2.0
/* HMAC: published vectors, those of svr-protocol.md 2.9, time windows, misuse. */
#include <errno.h>
#include <stdlib.h>

#include "agent/crypto/hmac.h"
#include "test/unit/hex.h"
#include "test/unit/vectors.h"

#define AA20 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define AA80 AA20 AA20 AA20 AA20
/* 131 bytes */
#define AA131 AA80 AA20 AA20 "aaaaaaaaaaaaaaaaaaaaaa"
#define DD10  "dddddddddddddddddddd"
#define CD10  "cdcdcdcdcdcdcdcdcdcd"

struct row {
	const char *source;
	enum fl_hmac_alg alg;
	const char *key;
	const char *data_hex;
	const char *data_text;
	const char *mac;
};

#define HI   "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", NULL, "Hi There"
#define JEFE "4a656665", NULL, "what do ya want for nothing?"
#define C3   AA20, DD10 DD10 DD10 DD10 DD10, NULL
#define C4   "0102030405060708090a0b0c0d0e0f10111213141516171819", CD10 CD10 CD10 CD10 CD10, NULL
#define C5   "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", NULL, "Test With Truncation"
#define C6   AA131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First"
#define C7                                                                                         \
	AA131, NULL,                                                                               \
		"This is a test using a larger than block-size key and a larger than block-size "  \
		"data. The key needs to be hashed before being used by the HMAC algorithm."

static const struct row rows[] = {
	{ "RFC 4231 4.2", FL_HMAC_SHA256, HI,
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "RFC 4231 4.2", FL_HMAC_SHA384, HI,
	  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	  "faea9ea9076ede7f4af152e8b2fa9cb6" },
	{ "RFC 4231 4.2", FL_HMAC_SHA512, HI,
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ "RFC 4231 4.3", FL_HMAC_SHA256, JEFE,
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "RFC 4231 4.3", FL_HMAC_SHA384, JEFE,
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	  "8e2240ca5e69e2c78b3239ecfab21649" },
	{ "RFC 4231 4.3", FL_HMAC_SHA512, JEFE,
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ "RFC 4231 4.4", FL_HMAC_SHA256, C3,
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
	{ "RFC 4231 4.4", FL_HMAC_SHA384, C3,
	  "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
	  "2a5ab39dc13814b94e3ab6e101a34f27" },
	{ "RFC 4231 4.4", FL_HMAC_SHA512, C3,
	  "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	  "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
	{ "RFC 4231 4.5", FL_HMAC_SHA256, C4,
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
	{ "RFC 4231 4.6", FL_HMAC_SHA256_128, C5, "a3b6167473100ee06e0c796c2955552b" },
	{ "RFC 4231 4.7", FL_HMAC_SHA256, C6,
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	{ "RFC 4231 4.7", FL_HMAC_SHA384, C6,
	  "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	  "0c2ef6ab4030fe8296248df163f44952" },
	{ "RFC 4231 4.7", FL_HMAC_SHA512, C6,
	  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	{ "RFC 4231 4.8", FL_HMAC_SHA256, C7,
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	{ "RFC 4231 4.8", FL_HMAC_SHA384, C7,
	  "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
	  "a678cc31e799176d3860e6110c46523e" },
	{ "RFC 4231 4.8", FL_HMAC_SHA512, C7,
	  "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
	  "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
	{ "RFC 2202 3.1", FL_HMAC_SHA1, HI, "b617318655057264e28bc0b6fb378c8ef146be00" },
	{ "RFC 2202 3.2", FL_HMAC_SHA1, JEFE, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "RFC 2202 3.3", FL_HMAC_SHA1, C3, "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
	{ "RFC 2202 3.6", FL_HMAC_SHA1, AA80, NULL,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	{ "key of 64 bytes, by Python's hmac", FL_HMAC_SHA256,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
	  NULL, "Hi There", "e311769a0a9a3af1ad9da74c1933bab5ac0aa48367b55ab6ec995508bdab1db6" },
	{ "key of 65 bytes, by Python's hmac", FL_HMAC_SHA256,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "40",
	  NULL, "Hi There", "6cae1509765ef078ace5069de97213ef2c56a78d522d68d8addc5007740e964b" },
	{ "key of 128 bytes, by Python's hmac", FL_HMAC_SHA512,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f",
	  NULL, "Hi There",
	  "bfd107862c14f7e1e345f6ac11525b2ce509668a395ee7ea04987d132ea92753"
	  "f8b34e64bd0025ea408d0d0d76b3c3760f5fa6fb93a854026870ae2ad7029729" },
};

Test(hmac, published_vectors)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		uint8_t key_bytes[256], data[256], mac[FL_HMAC_LEN_MAX];
		size_t key_len = hex_bytes(row->key, key_bytes, sizeof(key_bytes)), len;
		struct fl_hmac_key key;

		if (row->data_text)
			memcpy(data, row->data_text, len = strlen(row->data_text));
		else
			len = hex_bytes(row->data_hex, data, sizeof(data));
		cr_assert_eq(fl_hmac_key_init(&key, row->alg, FL_HMAC_REGULAR, key_bytes, key_len),
			     0);
		fl_hmac_sign(&key, data, len, 0, mac);
		cr_assert_eq(fl_hmac_len(row->alg, FL_HMAC_REGULAR), strlen(row->mac) / 2);
		assert_hex(mac, fl_hmac_len(row->alg, FL_HMAC_REGULAR), row->mac);
		cr_assert_eq(fl_hmac_verify(&key, data, len, 12345, mac), FL_HMAC_CURRENT);
		mac[strlen(row->mac) / 2 - 1] ^= 1;
		cr_assert_eq(fl_hmac_verify(&key, data, len, 0, mac), FL_HMAC_MISMATCH);
	}
}

/* The key of svr-protocol.md 2.9. */
static struct fl_hmac_key svr_key(enum fl_hmac_alg alg, enum fl_hmac_mode mode)
{
	struct fl_hmac_key key;
	uint8_t secret[32];

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	cr_assert_eq(fl_hmac_key_init(&key, alg, mode, secret, sizeof(secret)), 0);
	return key;
}

static void check_svr(const char *vector, enum fl_hmac_alg alg, enum fl_hmac_mode mode,
		      const char *want)
{
	struct fl_hmac_key key = svr_key(alg, mode);
	uint8_t data[256], mac[FL_HMAC_LEN_MAX];
	size_t len = hex_bytes(vector, data, sizeof(data));

	len += hex_bytes(VECTOR_PAYLOAD, data + len, sizeof(data) - len);
	fl_hmac_sign(&key, data, len, VECTOR_UNIX_S, mac);
	assert_hex(mac, fl_hmac_len(alg, mode), want);
	cr_assert_eq(fl_hmac_verify(&key, data, len, VECTOR_UNIX_S, mac), FL_HMAC_CURRENT);
}

Test(hmac, svr_vectors)
{
	check_svr(VECTOR_A, FL_HMAC_SHA256, FL_HMAC_REGULAR,
		  "c105a621370ca4132a449b7b32345c3a347a05dbf5424873f62d7db1f8fcbe24");
	check_svr(VECTOR_A, FL_HMAC_SHA256_128, FL_HMAC_REGULAR,
		  "c105a621370ca4132a449b7b32345c3a");
	check_svr(VECTOR_A, FL_HMAC_SHA256_128, FL_HMAC_TIME_BASED,
		  "289264c02b9a3e23f88fe9be216d2412");
	check_svr(VECTOR_B, FL_HMAC_SHA256_128, FL_HMAC_REGULAR,
		  "2120d7e7f4c7e664de88c3a482e54f8d");
}

/* P-11, spelled out: the window's number is appended to the data, most significant byte first. */
Test(hmac, time_based_is_regular_over_data_and_window)
{
	for (int alg = 0; alg < FL_HMAC_ALG_MAX; alg++) {
		struct fl_hmac_key timed = svr_key(alg, FL_HMAC_TIME_BASED);
		struct fl_hmac_key regular = svr_key(alg, FL_HMAC_REGULAR);
		uint8_t data[104] = "some data", a[64], b[64];

		memcpy(data + 100, "\x32\xa9\xf8\x80", 4); /* 850000000 */
		fl_hmac_sign(&timed, data, 100, 1700000001, a);
		fl_hmac_sign(&regular, data, 104, 0, b);
		cr_assert(!memcmp(a, b, fl_hmac_len(alg, FL_HMAC_REGULAR)), "alg %d", alg);
	}
}

Test(hmac, windows)
{
	static const struct {
		uint64_t signed_s, now_s;
		enum fl_hmac_match want;
	} times[] = {
		{ 1000, 1000, FL_HMAC_CURRENT },
		{ 1000, 1001, FL_HMAC_CURRENT },
		{ 1001, 1000, FL_HMAC_CURRENT },
		{ 1000, 1002, FL_HMAC_PREVIOUS },
		{ 1000, 1003, FL_HMAC_PREVIOUS },
		{ 1001, 1002, FL_HMAC_PREVIOUS },
		{ 1000, 1004, FL_HMAC_MISMATCH },
		{ 1002, 1001, FL_HMAC_NEXT },
		{ 1003, 1000, FL_HMAC_NEXT },
		{ 1004, 1001, FL_HMAC_MISMATCH },
		{ 1000, 1000 + (1ull << 33), FL_HMAC_CURRENT }, /* the number has 32 bits */
		{ 0, 2, FL_HMAC_PREVIOUS },
		{ 2 * 0xffffffffull, 0, FL_HMAC_PREVIOUS },
	};
	struct fl_hmac_key key = svr_key(FL_HMAC_SHA256_128, FL_HMAC_TIME_BASED);
	uint8_t data[300] = "x", mac[16];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		for (size_t len = 0; len < sizeof(data); len += 7) {
			fl_hmac_sign(&key, data, len, times[i].signed_s, mac);
			cr_expect_eq(fl_hmac_verify(&key, data, len, times[i].now_s, mac),
				     times[i].want, "row %zu, %zu bytes", i, len);
		}
}

Test(hmac, every_flipped_bit_is_noticed)
{
	for (int alg = 0; alg < FL_HMAC_ALG_MAX; alg++) {
		struct fl_hmac_key key = svr_key(alg, FL_HMAC_TIME_BASED);
		size_t mac_len = fl_hmac_len(alg, FL_HMAC_TIME_BASED);
		uint8_t data[64 + FL_HMAC_LEN_MAX] = "data";

		fl_hmac_sign(&key, data, 64, 99, data + 64);
		for (size_t bit = 0; bit < 8 * (64 + mac_len); bit++) {
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			cr_assert_eq(fl_hmac_verify(&key, data, 64, 99, data + 64),
				     FL_HMAC_MISMATCH, "alg %d bit %zu", alg, bit);
			data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		cr_assert_eq(fl_hmac_verify(&key, data, 64, 99, data + 64), FL_HMAC_CURRENT);
	}
}

Test(hmac, only_the_mac_is_written)
{
	for (int alg = 0; alg < FL_HMAC_ALG_MAX; alg++) {
		struct fl_hmac_key key = svr_key(alg, FL_HMAC_REGULAR);
		size_t mac_len = fl_hmac_len(alg, FL_HMAC_REGULAR);
		uint8_t mac[FL_HMAC_LEN_MAX + 1];

		memset(mac, 0xee, sizeof(mac));
		fl_hmac_sign(&key, "x", 1, 0, mac);
		for (size_t i = mac_len; i < sizeof(mac); i++)
			cr_assert_eq(mac[i], 0xee, "alg %d byte %zu", alg, i);
	}
}

Test(hmac, disabled)
{
	struct fl_hmac_key key;
	uint8_t mac = 0xee;

	cr_assert_eq(fl_hmac_key_init(&key, FL_HMAC_SHA256, FL_HMAC_DISABLED, NULL, 0), 0);
	cr_assert_eq(fl_hmac_len(FL_HMAC_SHA256, FL_HMAC_DISABLED), 0);
	fl_hmac_sign(&key, "x", 1, 0, &mac);
	cr_assert_eq(mac, 0xee);
	cr_assert_eq(fl_hmac_verify(&key, "x", 1, 0, NULL), FL_HMAC_CURRENT);
}

Test(hmac, misuse)
{
	struct fl_hmac_key key;

	cr_assert_eq(fl_hmac_key_init(&key, FL_HMAC_ALG_MAX, FL_HMAC_REGULAR, "k", 1), -EINVAL);
	cr_assert_eq(fl_hmac_key_init(&key, FL_HMAC_SHA1, 3, "k", 1), -EINVAL);
	cr_assert_eq(fl_hmac_key_init(&key, FL_HMAC_SHA1, FL_HMAC_REGULAR, "", 0), -EINVAL);
	cr_assert_eq(fl_hmac_len(FL_HMAC_ALG_MAX, FL_HMAC_REGULAR), 0);
}

Test(hmac, a_key_is_wiped)
{
	struct fl_hmac_key key = svr_key(FL_HMAC_SHA512, FL_HMAC_REGULAR);
	static const uint8_t zero[sizeof(key)];

	fl_hmac_key_done(&key);
	cr_assert(!memcmp(&key, zero, sizeof(key)));
}
