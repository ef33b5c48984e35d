// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers that a seed brings again, on every machine. */
#include "peerbuf_lib.h"

/**
 * pb_random() - splitmix64: short enough to be written down anywhere
 * @state: the seed, before the first call
 *
 * Return: the next of all 64-bit numbers.
 */
__u64 pb_random(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* pb_random_below() - Return: the next number, of those below @limit. */
unsigned int pb_random_below(__u64 *state, unsigned int limit)
{
	return pb_random(state) % limit;
}
