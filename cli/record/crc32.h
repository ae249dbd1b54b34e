/* SPDX-License-Identifier: GPL-2.0 */
/* crc32.h - the CRC-32 of Ethernet and gzip, bit by bit from a small table. */
#ifndef QUELL_CRC32_H
#define QUELL_CRC32_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t crc32(const void *data, size_t len)
{
	/* A table of nibbles: 16 entries are enough for what is done here. */
	static const uint32_t t[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const unsigned char *p = data;
	uint32_t c = ~0u;

	while (len--) {
		c ^= *p++;
		c = c >> 4 ^ t[c & 15];
		c = c >> 4 ^ t[c & 15];
	}
	return ~c;
}

#endif
